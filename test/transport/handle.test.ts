import { expect, test } from "vitest";
import { chooseTransport } from "../../src/transport/choose-transport.js";
import { handle } from "../../src/transport/handle/handle.js";
import { probe } from "../../src/transport/handle/handle-probe.js";
import { transportConformance } from "./conformance.js";

transportConformance("handle", handle);

test("the probe finds that the handle transport works here", async () => {
  expect(await probe()).toBeUndefined();
});

test("auto takes the handle transport where it is tested, and stream is taken when it is asked for", async () => {
  expect((await chooseTransport("auto")).transport.name).toBe("handle");
  expect((await chooseTransport("stream")).transport.name).toBe("stream");
});
