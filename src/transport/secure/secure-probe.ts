/**
 * Probe at boot that TLS works on the handle transport: a handshake, two writes in one turn, close_notify both ways.
 * With an anonymous cipher suite of TLS 1.2, which needs no certificate; what it tests is the same in all versions.
 */
import { connect, createSecureContext } from "node:tls";
import { handle } from "../handle/handle.js";
import type { HandshakeOwner, Listening, Socket } from "../transport.js";
import type { ServerTerms } from "./terms.js";
import { tlsWrap } from "./tls-binding.js";

const HELLO = "hello";
const EXPECTED = "secure bytes end notified closed";
const ANONYMOUS = {
  ciphers: "AECDH-AES128-SHA:@SECLEVEL=0",
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.2",
} as const;

/** @returns what failed; `undefined` when the probe passed */
export async function probeTls(): Promise<string | undefined> {
  if (tlsWrap() === undefined) return "this Node does not have the binding of TLS that it needs";
  let listening: Listening | undefined;
  try {
    const context = createSecureContext(ANONYMOUS);
    const seen = await new Promise<string>((resolve, reject) => {
      const onSocket = (socket: Socket) => new Probed(socket, termsOf(context), resolve, reject);
      handle
        .listen({ host: "127.0.0.1", port: 0 }, { backlog: 1, onSocket, onError: reject })
        .then((bound) => {
          listening = bound;
          speak(bound.port, reject);
        }, reject);
    });
    return seen === EXPECTED ? undefined : `the probe of TLS saw ${seen}`;
  } catch (error) {
    return `the probe of TLS failed: ${(error as Error).message}`;
  } finally {
    listening?.close();
  }
}

function speak(port: number, reject: (error: Error) => void): void {
  const client = connect({ ...ANONYMOUS, port, host: "127.0.0.1", rejectUnauthorized: false });
  let answer = "";
  client.setTimeout(2_000, () => client.destroy(new Error("no answer")));
  client.on("secureConnect", () => client.write(HELLO)).on("error", reject);
  client.on("data", (chunk) => {
    answer += chunk;
    if (answer.length < 2 * HELLO.length) return;
    if (answer === HELLO + HELLO) client.end();
    else reject(new Error(`got ${JSON.stringify(answer)} back`));
  });
}

function termsOf(context: ReturnType<typeof createSecureContext>): ServerTerms {
  const common = { side: "server", listener: "probe", byName: false, alpn: undefined } as const;
  return { ...common, context, contextFor: () => context, clientCerts: "none" };
}

class Probed implements HandshakeOwner {
  readonly #socket: Socket;
  readonly #done: (seen: string) => void;
  readonly #failed: (error: Error) => void;
  readonly #seen: string[] = [];

  constructor(
    plain: Socket,
    terms: ServerTerms,
    done: (seen: string) => void,
    failed: (error: Error) => void,
  ) {
    this.#done = done;
    this.#failed = failed;
    this.#socket = handle.secure(plain, terms, undefined, this);
  }

  onSecure(): void {
    this.#seen.push("secure");
  }

  onRefused(_reason: string, message: string): void {
    this.#socket.destroy();
    this.#failed(new Error(message));
  }

  onChunk(): void {
    this.#seen.push("chunk");
  }

  onBytes(shared: Buffer, length: number): void {
    this.#seen.push("bytes");
    const bytes = Buffer.from(shared.subarray(0, length));
    for (const _ of [1, 2]) if (!this.#socket.write(bytes)) this.#seen.push("waits");
  }

  onEnd(): void {
    this.#seen.push("end", this.#socket.tls?.closeNotify ? "notified" : "cut off");
    this.#socket.end();
  }

  onWritten(): void {
    this.#seen.push("written");
  }

  onClosed(code: string | undefined): void {
    this.#seen.push(code ?? "closed");
    this.#done(this.#seen.join(" "));
  }
}
