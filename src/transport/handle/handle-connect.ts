/** Outgoing connections of the fast transport. */
import { isIPv6 } from "node:net";
import { getSystemErrorName } from "node:util";
import { outsideContexts } from "../async-context.js";
import { type ConnectTarget, KEEP_ALIVE_MS, type Socket } from "../transport.js";
import { kernelPath, shownPath } from "../unix/socket-path.js";
import { HandleSocket, peerOf } from "./handle-socket.js";
import { type ConnectRequest, type Libuv, libuv, type PipeHandle, type TcpHandle } from "./node-bindings.js";

const uv = libuv() as Libuv;

export function connect(target: ConnectTarget, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // What its reads call must not run in the caller's async context.
    const attempt = outsideContexts(() => ("path" in target ? unixAttempt(target.path) : tcpAttempt(target)));
    const { handle, request } = attempt;
    const abort = () => {
      handle.close();
      reject(signal?.reason);
    };
    request.oncomplete = (status) => {
      signal?.removeEventListener("abort", abort);
      if (signal?.aborted) return;
      if (status !== 0) return fail(status);
      resolve(attempt.connected());
    };
    const fail = (status: number) => {
      handle.close();
      reject(connectError(status, target));
    };
    if (signal?.aborted) return abort();
    const failed = attempt.start();
    if (failed !== 0) fail(failed);
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

interface Attempt {
  readonly handle: TcpHandle | PipeHandle;
  readonly request: ConnectRequest;
  /** @returns 0, or an error of libuv */
  start(): number;
  connected(): Socket;
}

function tcpAttempt({ address, port }: { address: string; port: number }): Attempt {
  const handle = new uv.TCP(uv.SOCKET);
  const request = new uv.TCPConnectWrap();
  return {
    handle,
    request,
    start: () =>
      isIPv6(address) ? handle.connect6(request, address, port) : handle.connect(request, address, port),
    connected: () => {
      handle.setNoDelay(true);
      handle.setKeepAlive(true, KEEP_ALIVE_MS / 1000);
      return new HandleSocket(handle, peerOf(handle));
    },
  };
}

function unixAttempt(path: string): Attempt {
  const handle = new uv.Pipe(uv.SOCKET);
  const request = new uv.PipeConnectWrap();
  return {
    handle,
    request,
    start: () => handle.connect(request, kernelPath(path)),
    connected: () => new HandleSocket(handle, { address: shownPath(path), port: 0 }),
  };
}

/** As `net` gives it. */
function connectError(error: number, target: ConnectTarget): NodeJS.ErrnoException {
  const code = getSystemErrorName(error);
  const where = "path" in target ? shownPath(target.path) : `${target.address}:${target.port}`;
  return Object.assign(new Error(`connect ${code} ${where}`), { code, syscall: "connect" });
}
