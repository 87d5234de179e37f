/**
 * Node's internal bindings of libuv's streams (TCP and UNIX sockets), as far as the handle transport uses them. `net` is built on them
 * and they have not changed since Node 12, but they are not a public API: hence the list of tested majors and the
 * probe at boot.
 */

/** Node's wrapper of a libuv stream handle. */
export interface StreamHandle {
  onread: (this: StreamHandle, bytes: ArrayBuffer | undefined) => void;
  onconnection: (this: StreamHandle, status: number, client: StreamHandle | undefined) => void;
  readonly writeQueueSize: number;
  /** File descriptor; negative where there is none. */
  readonly fd: number;
  getAsyncId(): number;
  /** Bytes passed to it, with those in its queue. */
  readonly bytesWritten: number;
  listen(backlog: number): number;
  readStart(): number;
  readStop(): number;
  useUserBuffer(buffer: Uint8Array): void;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  /** @param allBuffers always true here: `chunks` holds only buffers, no strings with encodings */
  writev(request: WriteRequest, chunks: readonly Uint8Array[], allBuffers: true): number;
  shutdown(request: ShutdownRequest): number;
  close(): void;
}

/** Node's wrapper of a libuv TCP handle. */
export interface TcpHandle extends StreamHandle {
  bind(address: string, port: number): number;
  connect(request: ConnectRequest, address: string, port: number): number;
  connect6(request: ConnectRequest, address: string, port: number): number;
  getsockname(out: Partial<SocketName>): number;
  getpeername(out: Partial<SocketName>): number;
  setNoDelay(on: boolean): number;
  setKeepAlive(on: boolean, seconds: number): number;
  /** Closes with RST. @returns an error after `shutdown` */
  reset(): number;
}

/** Node's wrapper of a libuv pipe handle: a UNIX socket. It does not tell its names. */
export interface PipeHandle extends StreamHandle {
  bind(path: string): number;
  connect(request: ConnectRequest, path: string): number;
}

/** Whether a handle is one of a UNIX socket. */
export function isPipe(handle: unknown): handle is PipeHandle {
  return (handle as Partial<TcpHandle>).getsockname === undefined;
}

export interface SocketName {
  address: string;
  port: number;
}

/** A write request; libuv owns it while the write is asynchronous. */
export interface WriteRequest {
  oncomplete: (this: WriteRequest, status: number) => void;
  /** The bytes, referenced here so that they stay alive until the write is done. */
  buffer: Uint8Array | readonly Uint8Array[] | undefined;
  socket: unknown;
}

export interface ShutdownRequest {
  oncomplete: (this: ShutdownRequest, status: number) => void;
}

export interface ConnectRequest {
  oncomplete: (this: ConnectRequest, status: number) => void;
}

export interface Libuv {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => ShutdownRequest;
  readonly TCP: new (kind: number) => TcpHandle;
  readonly TCPConnectWrap: new () => ConnectRequest;
  readonly Pipe: new (kind: number) => PipeHandle;
  readonly PipeConnectWrap: new () => ConnectRequest;
  /** Kind of a handle; `TCP` and `Pipe` use the same numbers. */
  readonly SOCKET: number;
  readonly SERVER: number;
  /** Results of the last call. */
  readonly state: Int32Array;
  /** Index in `state`: bytes read, or a negative error. */
  readonly READ: number;
  /** Index in `state`: whether the last write is asynchronous. */
  readonly WRITE_IS_ASYNC: number;
}

/** Node majors on which CI runs all tests of the handle transport. */
export const TESTED_MAJORS: readonly number[] = [20, 22, 24, 26];

type Bind = (name: string) => any;

/** @returns `undefined` where Node does not have these bindings, or not with these members */
export function libuv(): Libuv | undefined {
  try {
    const bind = (process as unknown as { binding: Bind }).binding;
    const stream = bind("stream_wrap");
    const tcp = bind("tcp_wrap");
    const { Pipe, PipeConnectWrap, constants: pipe } = bind("pipe_wrap");
    const { SOCKET, SERVER } = tcp.constants;
    const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = stream;
    const { TCP, TCPConnectWrap } = tcp;
    if (pipe.SOCKET !== SOCKET || pipe.SERVER !== SERVER) return undefined;
    if (![SOCKET, SERVER, kReadBytesOrError, kLastWriteWasAsync].every(Number.isInteger)) return undefined;
    if (!(streamBaseState instanceof Int32Array)) return undefined;
    const classes = { WriteWrap, ShutdownWrap, TCP, TCPConnectWrap, Pipe, PipeConnectWrap };
    if (!Object.values(classes).every((one) => typeof one === "function")) return undefined;
    return {
      ...{ ...classes, SOCKET, SERVER },
      state: streamBaseState,
      READ: kReadBytesOrError,
      WRITE_IS_ASYNC: kLastWriteWasAsync,
    };
  } catch {
    return undefined;
  }
}
