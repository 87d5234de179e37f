// Writes to plain TCP sockets past node's streams, which make a request, a callback and a tick for each: a third of
// what a generator spends on a small frame in user space. libuv keeps the order of what goes either way.
import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import { libuv, type TcpHandle, type WriteRequest } from "../../../../src/transport/node-bindings.js";

type WithHandle = Socket & { readonly _handle?: TcpHandle | null };

const uv = libuv();
/** Used again and again, until a write is not done at once and takes it along. */
let spare: WriteRequest | undefined;

/** What writes to a socket. Nobody is told when it is done; a failure is an `error` of the socket, as always. */
export function writerOf(socket: WithHandle): (bytes: Buffer) => void {
  const through = (bytes: Buffer) => void socket.write(bytes);
  if (uv === undefined || socket._handle?.constructor !== uv.TCP) return through;
  const { state, WRITE_IS_ASYNC, WriteWrap } = uv;
  return (bytes) => {
    const handle = socket._handle;
    // What the stream itself has in hand goes first.
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
