import { expect, test } from "vitest";
import { handle } from "../../src/transport/handle/handle.js";
import { probeTls } from "../../src/transport/secure/secure-probe.js";
import { stream } from "../../src/transport/stream/stream.js";
import { transportConformance } from "./conformance.js";
import { secured } from "./secured.js";

test("the probe of TLS passes here, where the suite passes", async () => {
  expect(await probeTls()).toBeUndefined();
});

transportConformance("handle with TLS", secured(handle));
transportConformance("stream with TLS", secured(stream));
