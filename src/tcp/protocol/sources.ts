/**
 * Types of what messages and requests come from: groups (`takes`) and families of names (`answers`). They type the
 * cells `message` and `request` of a protocol, and its `conn`, so that a connection joins only what it takes.
 */
import type { Pid } from "../../otp/process/pid.js";

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
/**
 * What can be sent to a group or a name: it means the same in every OS process, and to a program in another language.
 * A type of your own is written as a `type`: an `interface` has no index signature and is refused, as are `unknown`, Date
 * and Map. Where it may be anything, say `Json`: `names<Command, Json>("device")`.
 */
export type Portable = Json | Uint8Array;

declare const accepts: unique symbol;
declare const carries: unique symbol;
declare const requests: unique symbol;

/** Only for the compiler: the messages and requests that a connection handles. */
export interface Accepts<Msg, Req> {
  readonly [accepts]?: { readonly message: (message: Msg) => void; readonly request: (request: Req) => void };
}

/** A process that handles messages of type M: a connection whose protocol `takes` them, or a process of your own. */
export interface Receives<M> {
  readonly pid: Pid;
  readonly [accepts]?: { readonly message: (message: M) => void };
}

/** A process that handles requests of type Req. */
export interface Answers<Req> {
  readonly pid: Pid;
  readonly [accepts]?: { readonly request: (request: Req) => void };
}

/** What messages come from: a group, or a family of groups. */
export interface Source<M> {
  readonly [carries]?: M;
}

/** What requests come from: a family of names. */
export interface RequestSource<Req> {
  readonly [requests]?: Req;
}

/** The messages of a group, of a family, or of a list of them. */
export type MessageOf<T> = T extends readonly []
  ? never
  : T extends readonly Source<infer M>[]
    ? M
    : T extends Source<infer M>
      ? M
      : never;

/** The requests of a family of names. */
export type RequestOf<N> = N extends RequestSource<infer Req> ? Req : never;

const sources = new WeakSet<object>();

/** Marks an object as one that a protocol can list under `takes`. */
export function markSource(source: object): void {
  sources.add(source);
}

export function isSource(value: unknown): boolean {
  return (typeof value === "object" || typeof value === "function") && value !== null && sources.has(value);
}

/** See `forward`. */
export interface Forward {
  readonly kind: "forward";
}

/**
 * As the `message` cell of a state: every message is sent to the client as a frame, unchanged. It is encoded once for
 * all members of a worker, and all their sockets write the same bytes.
 */
export const forward: Forward = Object.freeze({ kind: "forward" });
