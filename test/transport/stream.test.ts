import { stream } from "../../src/transport/stream.js";
import { transportConformance } from "./conformance.js";

transportConformance("stream", stream);
