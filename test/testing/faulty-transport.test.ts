import { faulty } from "../../src/testing/faulty-transport.js";
import { handle } from "../../src/transport/handle/handle.js";
import { stream } from "../../src/transport/stream/stream.js";
import { transportConformance } from "../transport/conformance.js";

transportConformance("stream, in pieces of 50 kB", { ...faulty(stream, { split: 50_000 }), connections: 50 });
transportConformance("handle, in pieces of 50 kB", { ...faulty(handle, { split: 50_000 }), connections: 50 });
