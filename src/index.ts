/// <reference types="node" preserve="true" />
/** The front door: all that a protocol author may import. */

export { type Decoder, encode, type Framing, FramingError } from "./framing/framing.js";
export { lines } from "./framing/lines.js";
export { packet } from "./framing/packet.js";
export { raw } from "./framing/raw.js";
export { type Application, type ApplicationSpec, application, type Running } from "./otp/application.js";
export { type ChildSpec, checkChildspecs, child } from "./otp/child-spec.js";
export { type Clock, ManualClock, useClock } from "./otp/clock.js";
export type { Duration } from "./otp/duration.js";
export { dynamicSupervisor, startChild } from "./otp/dynamic-supervisor.js";
export { type ExitReason, ProcessExit } from "./otp/exit.js";
export type { SupervisorFlags } from "./otp/flags.js";
export {
  type Behaviour,
  call,
  callWithin,
  cast,
  genServer,
  type Ref,
  type RefOf,
  type Self,
  type StartOptions,
  start,
  startLink,
} from "./otp/gen-server.js";
export {
  type Action,
  begin,
  type CallSelf,
  cancelStateTimeout,
  cancelTimer,
  changeCallbackModule,
  eventTimeout,
  type From,
  type GenStatem,
  genStatem,
  nextEvent,
  popCallbackModule,
  pushCallbackModule,
  reply,
  replyTo,
  type StatemEvent,
  type StatemSelf,
  type StatemStep,
  stateTimeout,
  timer,
  updateEventTimeout,
  updateStateTimeout,
  updateTimer,
} from "./otp/gen-statem.js";
export { Pid, parsePid } from "./otp/pid.js";
export { DownMessage, ExitMessage, onDown } from "./otp/process.js";
export { register, unregister, whereis } from "./otp/registry.js";
export type { RestartDelay } from "./otp/restart-delay.js";
export { exit, send } from "./otp/signals.js";
export { keep, next, postpone, repeat, type Step, stop, stopAndReply } from "./otp/step.js";
export {
  countChildren,
  startSupervisor,
  supervisor,
  terminateChild,
  whichChildren,
} from "./otp/supervisor.js";
export * as sys from "./otp/sys.js";
export { type After, type Conn, defineProtocol, type Protocol, type State } from "./tcp/protocol.js";
export { type ServeOptions, type Serving, serve } from "./tcp/serve.js";
