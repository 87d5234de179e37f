/**
 * What a worker may tell the primary, by its shape. Protocols run in workers and can write to the channel as
 * well: whatever they write there, a fault of a worker must not become one of the primary and thereby of all.
 */
import type { ToPrimary } from "./messages.js";

type Shape = (message: { readonly id?: unknown; readonly d?: any }) => boolean;

const SHAPES: Readonly<Record<ToPrimary["t"], Shape>> = {
  hello: () => true,
  acquire: ({ id }) => isCount(id),
  ready: ({ d }) => isObject(d) && isText(d.address) && isCount(d.port) && isText(d.transport),
  failed: ({ d }) => isObject(d) && isCount(d.code) && isText(d.message),
  snapshot: ({ d }) => d instanceof Float64Array,
  reply: ({ id }) => isCount(id),
  loaded: ({ d }) => isObject(d) && isCount(d.active) && typeof d.ahead === "boolean",
  record: ({ d }) => isText(d),
  trace: ({ id, d }) => isCount(id) && isObject(d) && isText(d.what),
  signal: ({ d }) => isObject(d) && isPlace(d.to) && (d.kind === "send" || d.kind === "exit"),
};

export function isToPrimary(message: unknown): message is ToPrimary {
  if (!isObject(message)) return false;
  const { t } = message;
  return isText(t) && Object.hasOwn(SHAPES, t) && SHAPES[t as ToPrimary["t"]](message);
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

/** `[worker, serial]`. */
function isPlace(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isCount);
}
