import { stream } from "../../src/transport/stream/stream.js";
import { transportConformance } from "./conformance.js";

transportConformance("stream", stream);
