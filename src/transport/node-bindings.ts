/**
 * node's own bindings to libuv's streams, as far as the handle transport uses them. They are what `net` is
 * made of, have kept their shape since Node 12, and are nobody's promise: hence the list of majors that CI
 * runs, and the probe at boot.
 */

/** A libuv TCP stream, as node wraps it. */
export interface TcpHandle {
  onread: (this: TcpHandle, bytes: ArrayBuffer | undefined) => void;
  onconnection: (this: TcpHandle, status: number, client: TcpHandle | undefined) => void;
  readonly writeQueueSize: number;
  listen(backlog: number): number;
  bind(address: string, port: number): number;
  connect(request: object, address: string, port: number): number;
  getsockname(out: Partial<SocketName>): number;
  getpeername(out: Partial<SocketName>): number;
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, seconds: number): number;
  readStart(): number;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  /** @param allBuffers always true here: then `chunks` are nothing but bytes */
  writev(request: WriteRequest, chunks: readonly Uint8Array[], allBuffers: true): number;
  shutdown(request: ShutdownRequest): number;
  close(): void;
}

export interface SocketName {
  address: string;
  port: number;
}

/** A write that libuv may take over. */
export interface WriteRequest {
  oncomplete: (this: WriteRequest, status: number) => void;
  /** What is written: must stay alive, and unchanged, until it is done. */
  buffer: Uint8Array | readonly Uint8Array[] | undefined;
  socket: unknown;
}

export interface ShutdownRequest {
  oncomplete: (this: ShutdownRequest, status: number) => void;
}

export interface Libuv {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => ShutdownRequest;
  readonly TCP: new (kind: number) => TcpHandle;
  readonly TCPConnectWrap: new () => object;
  readonly SOCKET: number;
  readonly SERVER: number;
  /** Where the last call has left its results. */
  readonly state: Int32Array;
  /** Index in `state`: bytes read, or a negative error. */
  readonly READ: number;
  /** Index in `state`: whether the last write was not done at once. */
  readonly WRITE_IS_ASYNC: number;
}

/** The majors on which CI runs every test of the handle transport. */
export const TESTED_MAJORS: readonly number[] = [20, 22, 24, 26];

type Bind = (name: string) => any;

/** @returns undefined where node does not have them, or not in this shape */
export function libuv(): Libuv | undefined {
  try {
    const bind = (process as unknown as { binding: Bind }).binding;
    const stream = bind("stream_wrap");
    const tcp = bind("tcp_wrap");
    const { SOCKET, SERVER } = tcp.constants;
    const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = stream;
    const { TCP, TCPConnectWrap } = tcp;
    if (![SOCKET, SERVER, kReadBytesOrError, kLastWriteWasAsync].every(Number.isInteger)) return undefined;
    if (!(streamBaseState instanceof Int32Array)) return undefined;
    if (![WriteWrap, ShutdownWrap, TCP, TCPConnectWrap].every((one) => typeof one === "function"))
      return undefined;
    return {
      ...{ WriteWrap, ShutdownWrap, TCP, TCPConnectWrap, SOCKET, SERVER },
      state: streamBaseState,
      READ: kReadBytesOrError,
      WRITE_IS_ASYNC: kLastWriteWasAsync,
    };
  } catch {
    return undefined;
  }
}
