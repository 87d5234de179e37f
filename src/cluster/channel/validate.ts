/**
 * Validation of messages on the channel, by shape. A protocol runs in the worker and can call `process.send` itself:
 * a malformed message is ignored, so that a fault of one worker cannot crash the primary and with it all workers.
 */
import { MAX_OUTGOING_PROTOCOLS } from "../../tcp/observe/events.js";
import type { SignalEnvelope, ToPrimary, ToWorker } from "./messages.js";

type Shape = (message: { readonly id?: unknown; readonly d?: any }) => boolean;

const SHAPES: Readonly<Record<ToPrimary["t"], Shape>> = {
  hello: () => true,
  acquire: ({ d }) => isText(d),
  inspector: ({ d }) => isText(d) && d.length < 200,
  ready: ({ d }) => Array.isArray(d) && d.every(isServed),
  failed: ({ d }) => isObject(d) && isCount(d.code) && isText(d.message),
  exiting: ({ d }) => isObject(d) && isCount(d.code),
  snapshot: ({ d }) => isObject(d) && d.snapshot instanceof Float64Array && isOutgoing(d.outgoing),
  reply: ({ id }) => isCount(id),
  load: ({ d }) =>
    isObject(d) &&
    isText(d.listener) &&
    isCount(d.active) &&
    typeof d.limit === "number" &&
    typeof d.ahead === "boolean",
  full: ({ d }) => isObject(d) && isText(d.listener) && typeof d.full === "boolean",
  addresses: ({ d }) =>
    isObject(d) &&
    isCalls(d.take, ([id, ...call]) => isCount(id) && isCall(call)) &&
    isCalls(d.give, isCall) &&
    isCalls(d.over, isCall) &&
    (d.held === undefined ||
      isCalls(d.held, ([listener, group, count]) => isCall([listener, group]) && isCount(count))),
  threw: ({ d }) => isText(d) && IP_ADDRESS.test(d),
  record: ({ d }) => isText(d),
  trace: ({ id, d }) => isCount(id) && isObject(d) && isText(d.what),
  signal: ({ d }) =>
    isObject(d) && isPidPair(d.to) && SIGNALS.includes(d.kind) && d.payload instanceof Uint8Array,
};

/** By its shape only: of IPv6 with a zone, too. */
const IP_ADDRESS = /^[\da-f.:]{2,45}(%[\w.-]{1,32})?$/i;

/** Longer than any address. */
const MAX_CALL_TEXT = 256;

const SIGNALS: readonly unknown[] = ["send", "cast", "exit"] satisfies SignalEnvelope["kind"][];

/** A record, so that the compiler reports a missing type. */
const TO_WORKER: Readonly<Record<ToWorker["t"], true>> = {
  boot: true,
  handle: true,
  request: true,
  signal: true,
  reopen: true,
  follow: true,
  untrace: true,
  exchange: true,
  log: true,
  tls: true,
  load: true,
  quota: true,
  addresses: true,
  bans: true,
  "end-address": true,
  stop: true,
};

/** Whether a message is one of `ToPrimary`, with all fields that the primary reads. */
export function isToPrimary(message: unknown): message is ToPrimary {
  if (!isObject(message)) return false;
  const { t } = message;
  return isText(t) && Object.hasOwn(SHAPES, t) && SHAPES[t as ToPrimary["t"]](message);
}

/** Whether a message is one of `ToWorker`, by its type only: the primary runs no foreign code, so `d` is trusted. */
export function isToWorker(message: unknown): message is ToWorker {
  return isObject(message) && isText(message.t) && Object.hasOwn(TO_WORKER, message.t);
}

function isObject(value: unknown): value is Record<string, any> {
  return typeof value === "object" && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Each protocol is a series of the metrics. */
function isOutgoing(value: unknown): boolean {
  return Array.isArray(value) && value.length <= MAX_OUTGOING_PROTOCOLS && value.every(isOutgoingCounts);
}

function isOutgoingCounts(value: unknown): boolean {
  return isObject(value) && isWord(value.protocol) && isCount(value.active) && isObject(value.connects);
}

/** Name of a protocol: it becomes the label of a metric. */
function isWord(value: unknown): boolean {
  return isText(value) && /^[a-z][a-z0-9_-]{0,63}$/i.test(value);
}

function isCalls(value: unknown, isRight: (call: readonly unknown[]) => boolean): boolean {
  return Array.isArray(value) && value.every((one) => Array.isArray(one) && isRight(one));
}

/** `[listener, group]`. */
function isCall(call: readonly unknown[]): boolean {
  return call.length === 2 && call.every((text) => isText(text) && text.length <= MAX_CALL_TEXT);
}

function isServed(value: unknown): boolean {
  return (
    isObject(value) &&
    isText(value.listener) &&
    isText(value.address) &&
    isCount(value.port) &&
    isText(value.transport)
  );
}

/** `[worker, serial]`. */
function isPidPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isCount);
}
