/**
 * Node's internal bindings of libuv's TCP streams, as far as the handle transport uses them. `net` is built on them
 * and they have not changed since Node 12, but they are not a public API: hence the list of tested majors and the
 * probe at boot.
 */

/** Node's wrapper of a libuv TCP handle. */
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
  /** @param allBuffers always true here: `chunks` holds only buffers, no strings with encodings */
  writev(request: WriteRequest, chunks: readonly Uint8Array[], allBuffers: true): number;
  shutdown(request: ShutdownRequest): number;
  close(): void;
  /** Closes with RST. @returns an error after `shutdown` */
  reset(): number;
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

export interface Libuv {
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => ShutdownRequest;
  readonly TCP: new (kind: number) => TcpHandle;
  readonly TCPConnectWrap: new () => object;
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
