// Writes to plain TCP sockets past node's streams, which allocate a request, a callback and a tick per write: a third
// of the generator's user-space time for a small frame. libuv keeps the order of writes made either way.
import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import { libuv, type TcpHandle, type WriteRequest } from "../../../../src/transport/handle/node-bindings.js";

type WithHandle = Socket & { readonly _handle?: TcpHandle | null };

const uv = libuv();
/** Reused until a write does not complete at once and keeps it. */
let spare: WriteRequest | undefined;

/** Returns a function that writes to the socket without a completion callback. Failures are `error` events. */
export function writerOf(socket: WithHandle): (bytes: Buffer) => void {
  const through = (bytes: Buffer) => void socket.write(bytes);
  if (uv === undefined || socket._handle?.constructor !== uv.TCP) return through;
  const { state, WRITE_IS_ASYNC, WriteWrap } = uv;
  return (bytes) => {
    const handle = socket._handle;
    // Data that the stream has queued goes first.
    if (!handle || socket.writableLength > 0) return through(bytes);
    if (spare === undefined) {
      spare = new WriteWrap();
      spare.oncomplete = onWritten;
    }
    const failed = handle.writeBuffer(spare, bytes);
    if (failed !== 0) return fail(socket, failed);
    if (state[WRITE_IS_ASYNC] === 0) return;
    spare.buffer = bytes;
    spare.socket = socket;
    spare = undefined;
  };
}

function onWritten(this: WriteRequest, status: number): void {
  if (status < 0) fail(this.socket as Socket, status);
}

function fail(socket: Socket, status: number): void {
  const code = getSystemErrorName(status);
  socket.destroy(Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: "write" }));
}
