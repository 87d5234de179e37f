/** Client of a server under test: speaks the framing of its protocol, and knows how its connection has ended. */
import { type Decoder, encode, type Framing } from "../framing/framing.js";
import { formatReason } from "../otp/process/exit-reason.js";
import { systemClock } from "../otp/time/clock.js";
import { type Duration, toMs } from "../otp/time/duration.js";
import type { CloseReason, ConnectionClosed } from "../tcp/observe/events.js";
import { type ClientTlsOptions, clientTerms } from "../tls/client-terms.js";
import type { SecureFailure } from "../transport/secure/terms.js";
import { stream } from "../transport/stream/stream.js";
import type { ConnectTarget, HandshakeOwner, Socket } from "../transport/transport.js";

export interface TestClientOptions {
  /** Longest wait of `next()`, in real time. Default `"4s"`, below the limit of test runners. */
  readonly within?: Duration;
}

/** Client of a server under test. `In`: frames that it gets; `Out`: frames that it sends. */
export interface TestClient<In, Out> {
  /** Sends frames, in the protocol's framing. @throws FramingError when one cannot be sent */
  send(...frames: Out[]): this;
  /** Sends bytes as they are: half a frame, two at once, or what is none. */
  write(bytes: string | Uint8Array): this;
  /**
   * The next frame that the server sends.
   * @throws the crash of the connection when it has crashed; Error when it is closed, or after `within`
   */
  next(): Promise<In>;
  /**
   * Why the server has closed the connection, as it is counted: `stopped`, `idle`, `frame_too_long`, …
   * @throws what the connection has crashed with
   */
  readonly closed: Promise<CloseReason | (string & {})>;
  /** From here on the client speaks another framing, as after `conn.setFraming` and `become`. */
  setFraming<In2, Out2>(framing: Framing<In2, Out2>): TestClient<In2, Out2>;
  /**
   * Begins TLS, after the server has agreed to it (STARTTLS); the name of the server is `localhost` unless `serverName`
   * says otherwise. For a server whose TLS begins at once it is the first call.
   * @throws Error when the handshake fails: what is wrong with the certificate
   */
  startTls(options: ClientTlsOptions): Promise<void>;
  /** Stops reading: the server's output fills up. */
  pause(): this;
  resume(): this;
  /** Sends FIN; frames of the server still come. */
  end(): this;
  /** Closes with RST. */
  reset(): this;
  /** Closes at once; resolves when the server has closed its connection as well. */
  close(): Promise<void>;
}

interface Waiting {
  resolve(frame: unknown): void;
  reject(error: unknown): void;
}

export class FramedClient implements TestClient<any, any>, HandshakeOwner {
  /** By which the server knows this client; 0: over a UNIX socket. */
  readonly port: number;
  readonly closed: Promise<CloseReason | (string & {})>;
  #socket: Socket;
  readonly #withinMs: number;
  #framing: Framing<any, any>;
  #decoder: Decoder<any>;
  #frames: unknown[] = [];
  #waiting: Waiting[] = [];
  #unwritten: Buffer[] = [];
  #writing = false;
  #ending = false;
  /** The connection in the server, once it has ended. */
  #event: ConnectionClosed | undefined = undefined;
  /** Why there are no more frames. */
  #failure: unknown = undefined;
  #isClosed = false;
  #handshake: { resolve(): void; reject(error: unknown): void } | undefined = undefined;
  readonly #settle: { resolve(reason: string): void; reject(error: unknown): void };

  constructor(socket: Socket, framing: Framing<any, any>, { within = "4s" }: TestClientOptions) {
    this.#socket = socket;
    this.#framing = framing;
    this.#decoder = framing.decoder();
    this.#withinMs = toMs(within);
    this.port = socket.local.port;
    const { promise, ...settle } = withResolvers<string>();
    this.closed = promise;
    this.#settle = settle;
    // A test that does not look at it must not fail by it.
    promise.catch(() => {});
    socket.start(this);
  }

  /** @throws NodeJS.ErrnoException (`ECONNREFUSED`, …) */
  static async connect(
    target: ConnectTarget,
    framing: Framing<any, any>,
    options: TestClientOptions,
  ): Promise<FramedClient> {
    return new FramedClient(await stream.connect(target), framing, options);
  }

  send(...frames: unknown[]): this {
    return this.write(Buffer.concat(frames.map((frame) => encode(this.#framing, frame))));
  }

  write(bytes: string | Uint8Array): this {
    this.#unwritten.push(Buffer.from(bytes as Uint8Array));
    this.#flush();
    return this;
  }

  next(): Promise<any> {
    if (this.#frames.length > 0) return Promise.resolve(this.#frames.shift());
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { promise, ...waiting } = withResolvers<unknown>();
    this.#waiting.push(waiting);
    const timer = systemClock.setTimeout(() => {
      this.#waiting = this.#waiting.filter((one) => one !== waiting);
      waiting.reject(new Error(`no frame within ${this.#withinMs} ms; the connection is open`));
    }, this.#withinMs);
    return promise.finally(() => systemClock.clearTimeout(timer));
  }

  setFraming(framing: Framing<any, any>): TestClient<any, any> {
    const rest = this.#decoder.rest?.() ?? Buffer.alloc(0);
    this.#framing = framing;
    this.#decoder = framing.decoder();
    if (rest.length > 0) this.onChunk(rest);
    return this;
  }

  startTls(options: ClientTlsOptions): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const terms = clientTerms(options, options.serverName ?? "localhost")();
    const { promise, ...handshake } = withResolvers<void>();
    this.#handshake = handshake;
    this.#socket = stream.secure(this.#socket, terms, undefined, this);
    return promise;
  }

  pause(): this {
    this.#socket.pause();
    return this;
  }

  resume(): this {
    this.#socket.resume();
    return this;
  }

  end(): this {
    this.#ending = true;
    this.#flush();
    return this;
  }

  reset(): this {
    this.#socket.reset();
    return this;
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await this.closed.catch(() => {});
  }

  #flush(): void {
    if (this.#writing) return;
    const bytes = Buffer.concat(this.#unwritten);
    this.#unwritten = [];
    if (bytes.length > 0) this.#writing = !this.#socket.write(bytes);
    if (this.#ending && !this.#writing) this.#socket.end();
  }

  // -- the socket's side --------------------------------------------------------------------------------

  onSecure(): void {
    this.#handshake?.resolve();
    this.#handshake = undefined;
  }

  onRefused(_reason: SecureFailure, message: string): void {
    this.#fail(new Error(message));
    this.#socket.destroy();
  }

  onBytes(shared: Buffer, length: number): void {
    this.onChunk(Buffer.from(shared.subarray(0, length)));
  }

  onChunk(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk);
      for (let frame = this.#decoder.pull(); frame !== undefined; frame = this.#decoder.pull())
        this.#received(frame);
    } catch (error) {
      this.#fail(error);
      this.#socket.destroy();
    }
  }

  #received(frame: unknown): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve(frame);
    else this.#frames.push(frame);
  }

  onEnd(): void {
    this.end();
  }

  onWritten(): void {
    this.#writing = false;
    this.#flush();
  }

  onClosed(): void {
    this.#isClosed = true;
    this.#over();
  }

  // -- the server's side --------------------------------------------------------------------------------

  /** The connection of this client has ended. */
  ended(event: ConnectionClosed): void {
    this.#event = event;
    this.#over();
  }

  /** No server is left that could tell how the connection has ended. */
  abandon(): void {
    this.#socket.destroy();
    this.#settle.resolve("closed");
  }

  /** The end is known when both sides are closed: frames before it may still be on their way. */
  #over(): void {
    if (!this.#isClosed || (this.#event === undefined && this.port !== 0)) return;
    const { counted = "closed", reason, detail } = this.#event ?? {};
    if (counted === "crash") {
      const error = reason instanceof Error ? reason : new Error(`crashed: ${formatReason(reason)}`);
      this.#settle.reject(error);
      return this.#fail(error);
    }
    this.#settle.resolve(counted);
    this.#fail(
      new Error(`the connection is closed (${counted})${detail === undefined ? "" : `: ${detail}`}`),
    );
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#handshake?.reject(this.#failure);
    this.#handshake = undefined;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failure);
  }
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
