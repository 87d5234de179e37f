import { handle } from "../../src/transport/handle.js";
import { stream } from "../../src/transport/stream.js";
import { transportConformance } from "./conformance.js";
import { secured } from "./secured.js";

transportConformance("handle with TLS", secured(handle));
transportConformance("stream with TLS", secured(stream));
