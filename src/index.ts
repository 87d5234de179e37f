/// <reference types="node" preserve="true" />
/** Public API of the package `drover`: everything that a protocol may import. */

export { type ConfigFileSettings, defineConfig, type ListenerSettings } from "./config/define-config.js";
export { type CustomFramingOptions, customFraming } from "./framing/custom/custom.js";
export * as erlang from "./framing/erlang.js";
export {
  type Decoder,
  encode,
  type Framing,
  FramingError,
  type FramingErrorCode,
} from "./framing/framing.js";
export { fixed } from "./framing/length/fixed.js";
export { netstring } from "./framing/length/netstring.js";
export { varint } from "./framing/length/varint.js";
export { lines } from "./framing/lines.js";
export { packet } from "./framing/packet.js";
export type { Payload } from "./framing/payload.js";
export { raw } from "./framing/raw.js";
export { resp } from "./framing/resp/resp.js";
export { RespError, RespPush, type RespValue, RespVerbatim, type RespWord } from "./framing/resp/values.js";
export { delimited } from "./framing/text/delimited.js";
export { json } from "./framing/text/json.js";
export { AskError, ClaimError } from "./groups/ask-error.js";
export {
  type Group,
  type GroupOptions,
  type Groups,
  group,
  groups,
  type Member,
  type PresenceGroup,
  type PresenceGroups,
  type PresenceOptions,
} from "./groups/group.js";
export { type Claim, type ClaimOptions, type Names, names } from "./groups/names.js";
export type { Request } from "./groups/request.js";
export { type Application, type ApplicationSpec, application, type Running } from "./otp/application.js";
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
} from "./otp/gen-server/gen-server.js";
export { type NoReply, noreply } from "./otp/gen-server/noreply.js";
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
} from "./otp/gen-statem/gen-statem.js";
export { keep, next, postpone, repeat, type Step, stop, stopAndReply } from "./otp/gen-statem/step.js";
export { type ExitReason, ProcessExit } from "./otp/process/exit-reason.js";
export { demonitor, link, monitor, unlink } from "./otp/process/links/relate.js";
export { Pid, parsePid, RemotePid } from "./otp/process/pid.js";
export { DownMessage, ExitMessage, type MonitorRef, onDown } from "./otp/process/process.js";
export { register, unregister, whereis } from "./otp/process/registry.js";
export { exit, send } from "./otp/process/signals.js";
export { child } from "./otp/supervisor/child.js";
export { type ChildSpec, checkChildspecs } from "./otp/supervisor/child-spec.js";
export { dynamicSupervisor, startChild } from "./otp/supervisor/dynamic/dynamic-supervisor.js";
export type { RestartDelay } from "./otp/supervisor/restart-delay.js";
export {
  countChildren,
  deleteChild,
  getChildspec,
  restartChild,
  startSupervisor,
  stopSupervisor,
  supervisor,
  terminateChild,
  whichChildren,
} from "./otp/supervisor/supervisor.js";
export type { SupervisorFlags } from "./otp/supervisor/supervisor-flags.js";
export * as sys from "./otp/sys/sys.js";
export { type Clock, ManualClock, useClock } from "./otp/time/clock.js";
export type { Duration } from "./otp/time/duration.js";
export { encodeProxyHeader, type ProxyHeaderToSend } from "./proxy/encode.js";
export type { ProxyAddress, ProxyFamily, ProxyHeader } from "./proxy/header.js";
export type { SslInfo } from "./proxy/v2/tlvs.js";
export {
  type Counter,
  counter,
  type Gauge,
  gauge,
  type Histogram,
  histogram,
  type LabelSets,
} from "./tcp/metrics/instruments.js";
export { type Logger, log } from "./tcp/observe/protocol-log.js";
export { connect, connection } from "./tcp/outgoing/connect.js";
export { ConnectError } from "./tcp/outgoing/connect-error.js";
export type { ConnectOptions, LinkedConnectOptions } from "./tcp/outgoing/options.js";
export type { Arrival, PeerCertificate, TlsInfo } from "./tcp/protocol/arrival.js";
export { become } from "./tcp/protocol/become.js";
export { defineProtocol } from "./tcp/protocol/define-protocol.js";
export type { LimitOptions, Limits } from "./tcp/protocol/limits.js";
export type { Schema } from "./tcp/protocol/options/schema.js";
export type { Parts, WorkerHooks } from "./tcp/protocol/parts.js";
export type { LeftMember, Presence, PresentMember } from "./tcp/protocol/presence.js";
export type { Active, After, Conn, Peer, Protocol, State } from "./tcp/protocol/protocol.js";
export {
  type Forward,
  forward,
  type Json,
  type Portable,
  type Receives,
  type Source,
} from "./tcp/protocol/sources.js";
export { startTls } from "./tcp/protocol/start-tls.js";
export {
  type ServeListenerOptions,
  type ServeListenersOptions,
  type ServeOptions,
  type Serving,
  type ServingListener,
  type ServingListeners,
  serve,
} from "./tcp/serve.js";
export { type ServerChildOptions, server } from "./tcp/server-child.js";
export type { ClientTlsOptions } from "./tls/client-terms.js";
export { TlsError } from "./tls/errors.js";
export type {
  ClientCerts,
  KeyPairOptions,
  NamedKeyPairOptions,
  PemSource,
  TlsOptions,
  TlsVersion,
} from "./tls/options.js";
