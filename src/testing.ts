/// <reference types="node" preserve="true" />
/** Public API of `drover/testing`: what the tests of a protocol import. */
export { type Clock, ManualClock, useClock } from "./otp/time/clock.js";
export type { CloseReason } from "./tcp/observe/events.js";
export type { LogLine } from "./testing/crash-watch.js";
export type { Faults } from "./testing/faulty-transport.js";
export { type FramingCheck, type FramingChecksOptions, framingChecks } from "./testing/framing-checks.js";
export { type Crash, serve, type TestServeOptions, type TestServer } from "./testing/serve.js";
export type { TestClient, TestClientOptions } from "./testing/test-client.js";
