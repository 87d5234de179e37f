/**
 * Abort signals, waits for room, and callbacks at the end, of connections that use them. Kept beside the connections, in
 * weak maps: as fields they would cost 8 bytes each in every connection.
 */
import { type ExitReason, formatReason, ProcessExit } from "../../otp/process/exit-reason.js";

const controllers = new WeakMap<object, AbortController>();
const rooms = new WeakMap<object, PromiseWithResolvers>();
type Ending = (connection: any) => void;
/** One callback is kept without an array, which takes 56 bytes. */
const endings = new WeakMap<object, Ending | readonly Ending[]>();

interface PromiseWithResolvers {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const ended = (reason: ExitReason) =>
  new ProcessExit(reason, `the connection has ended: ${formatReason(reason)}`);

/** The signal of a connection; it is aborted at once where the connection is ending already. */
export function signalOf(connection: object, ending: ExitReason | undefined): AbortSignal {
  let controller = controllers.get(connection);
  if (controller === undefined) {
    controller = new AbortController();
    controllers.set(connection, controller);
    if (ending !== undefined) controller.abort(ended(ending));
  }
  return controller.signal;
}

/** A rejection counts as unhandled only where a caller awaits it. */
function silent(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}

/** The promise that the output has room again; one for all waiting callers. */
export function roomOf(connection: object, ending: ExitReason | undefined): Promise<void> {
  if (ending !== undefined) return silent(Promise.reject(ended(ending)));
  let room = rooms.get(connection);
  if (room === undefined) {
    const handlers = {} as { resolve: () => void; reject: (error: Error) => void };
    const promise = new Promise<void>((resolve, reject) => Object.assign(handlers, { resolve, reject }));
    room = { promise: silent(promise), ...handlers };
    rooms.set(connection, room);
  }
  return room.promise;
}

/** The output has room again. */
export function roomAgain(connection: object): void {
  rooms.get(connection)?.resolve();
  rooms.delete(connection);
}

/** Adds what is called when the connection begins to end. Must not throw. */
export function addEnding<C extends object>(connection: C, callback: (connection: C) => void): void {
  const before = endings.get(connection);
  endings.set(connection, before ? [before, callback].flat() : callback);
}

/** The connection is ending: aborts its signal, rejects the promise for room. */
export function abortAll(connection: object, reason: ExitReason): void {
  const callbacks = endings.get(connection) ?? [];
  endings.delete(connection);
  if (typeof callbacks === "function") callbacks(connection);
  else for (const callback of callbacks) callback(connection);
  controllers.get(connection)?.abort(ended(reason));
  rooms.get(connection)?.reject(ended(reason));
  rooms.delete(connection);
}
