/** Keys of session tickets: rotation on the manual clock, the file, and resumption by another worker. */
import { once } from "node:events";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type SecureVersion } from "node:tls";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";
import { readCredentials } from "../../src/tls/credentials/read-credentials.js";
import { ListenerTerms } from "../../src/tls/handshake/listener-terms.js";
import type { TlsOptions } from "../../src/tls/options.js";
import { readTicketKeys, TicketKeyRotation, type TicketKeys } from "../../src/tls/tickets/ticket-keys.js";
import { handle } from "../../src/transport/handle/handle.js";
import { stream } from "../../src/transport/stream/stream.js";
import type { HandshakeOwner, Listening, Socket, Transport } from "../../src/transport/transport.js";
import { certificateFile, certificatePem } from "../support/certificates/certificates.js";

const HALF_A_DAY = 12 * 3_600_000;
const clock = new ManualClock();
afterAll(useClock(clock));

test("each key is known 12 hours before it encrypts, and 12 hours after", async () => {
  const published: TicketKeys[] = [];
  const rotation = new TicketKeyRotation((keys) => published.push(keys));
  rotation.start();
  const [first, second] = rotation.keys;
  await clock.advance(HALF_A_DAY - 1);
  expect(rotation.keys).toEqual([first, second]);
  await clock.advance(1);
  const [, third] = rotation.keys;
  expect(rotation.keys).toEqual([second, third, first]);
  await clock.advance(HALF_A_DAY);
  expect(rotation.keys[0]).toBe(third);
  expect(rotation.keys[2]).toBe(second);
  expect(rotation.keys).not.toContain(first);
  expect(published).toHaveLength(2);
  rotation.stop();
  await clock.advance(HALF_A_DAY);
  expect(published).toHaveLength(2);
  expect(clock.pending).toBe(0);
});

test("a file has 48 bytes for each key, the first encrypts", () => {
  const folder = mkdtempSync(join(tmpdir(), "drover-tickets-"));
  const path = join(folder, "tickets");
  const warnings: string[] = [];
  writeFileSync(path, Buffer.concat([Buffer.alloc(48, 1), Buffer.alloc(48, 200)]), { mode: 0o600 });
  expect(readTicketKeys(path, "tls.ticketKeys", warnings)).toEqual([
    Buffer.alloc(48, 1),
    Buffer.alloc(48, 200),
  ]);
  expect(warnings).toEqual([]);
  chmodSync(path, 0o644);
  readTicketKeys(path, "tls.ticketKeys", warnings);
  expect(warnings).toEqual([
    `tls.ticketKeys: ${path}: every user may read these ticket keys: chmod o-rwx ${path}`,
  ]);
  for (const bytes of [0, 47, 80]) {
    writeFileSync(path, Buffer.alloc(bytes));
    expect(() => readTicketKeys(path, "tls.ticketKeys", [])).toThrow(
      `tls.ticketKeys: ${path}: has ${bytes} bytes, expected 48 for each key: make one with openssl rand -out ${path} 48`,
    );
  }
});

const AUTHORITY = certificateFile("ca.crt");

/** A worker: what it serves, and the keys that it was sent last. */
class TestWorker {
  keys: TicketKeys;
  readonly terms: ListenerTerms;
  readonly #listening: Promise<Listening>;

  constructor(transport: Transport, keys: TicketKeys, options: Partial<TlsOptions> = {}) {
    this.keys = keys;
    const { credentials } = readCredentials({ ...certificatePem("server"), ...options }, "main", 0);
    this.terms = new ListenerTerms("main", credentials, () => this.keys);
    const onSocket = (plain: Socket) => void new Greeter(transport, plain, this.terms);
    this.#listening = transport.listen(
      { host: "127.0.0.1", port: 0 },
      { backlog: 8, onSocket, onError: () => {} },
    );
  }

  async connect(
    version: SecureVersion,
    session?: Buffer,
    servername?: string,
  ): Promise<{ resumed: boolean; session: Buffer }> {
    const { port } = await this.#listening;
    const tls = { rejectUnauthorized: false, minVersion: version, maxVersion: version } as const;
    const socket = connect({
      ...{ ...tls, ...certificatePem("client"), host: "127.0.0.1", port },
      ...{ session, servername },
    });
    await once(socket, "secureConnect");
    const resumed = socket.isSessionReused();
    let next = socket.getSession() as Buffer;
    socket.on("session", (later) => {
      next = later;
    });
    socket.resume();
    await once(socket, "close");
    return { resumed, session: next };
  }

  close(): void {
    void this.#listening.then((listening) => listening.close());
  }
}

/** Sends a byte and ends. */
class Greeter implements HandshakeOwner {
  readonly #socket: Socket;

  constructor(transport: Transport, plain: Socket, terms: ListenerTerms) {
    this.#socket = transport.secure(plain, terms, undefined, this);
  }

  onSecure(): void {
    this.#socket.write(Buffer.from("x"));
    this.#socket.end();
  }
  onRefused(): void {
    this.#socket.destroy();
  }
  onEnd(): void {
    this.#socket.destroy();
  }
  onChunk(): void {}
  onBytes(): void {}
  onWritten(): void {}
  onClosed(): void {}
}

function worker(...given: ConstructorParameters<typeof TestWorker>): TestWorker {
  const started = new TestWorker(...given);
  onTestFinished(() => started.close());
  return started;
}

const CASES = [handle, stream].flatMap((transport) =>
  (["TLSv1.2", "TLSv1.3"] as const).flatMap((version) => [
    { transport, version, servername: undefined, more: undefined },
    { transport, version, servername: "a.example", more: [certificatePem("a.example")] },
  ]),
);

for (const { transport, version, servername, more } of CASES) {
  const name = `${transport.name}, ${version}${servername ? ", certificate by name" : ""}`;

  test(`${name}: a session is resumed by another worker, and across a rotation`, async () => {
    const rotation = new TicketKeyRotation(() => {});
    rotation.start();
    const [one, other] = [
      worker(transport, rotation.keys, { more, ca: AUTHORITY }),
      worker(transport, rotation.keys, { more, ca: AUTHORITY }),
    ];
    const begun = await one.connect(version, undefined, servername);
    expect(begun.resumed).toBe(false);
    expect((await other.connect(version, begun.session, servername)).resumed).toBe(true);
    await clock.advance(HALF_A_DAY);
    // The other worker has the new keys before this one: it has known the key as the next one.
    other.keys = rotation.keys;
    const renewed = await other.connect(version, begun.session, servername);
    expect(renewed.resumed).toBe(true);
    expect((await one.connect(version, renewed.session, servername)).resumed).toBe(true);
    await clock.advance(HALF_A_DAY);
    one.keys = rotation.keys;
    expect((await one.connect(version, renewed.session, servername)).resumed).toBe(true);
    expect((await one.connect(version, begun.session, servername)).resumed).toBe(false);
    rotation.stop();
  });

  test(`${name}: no session outlives a change of the authority, and none has the keys of another server`, async () => {
    const { keys } = new TicketKeyRotation(() => {});
    const options = { more, ca: AUTHORITY, clientCerts: "none" } as const;
    const before = worker(transport, keys, options);
    const after = worker(transport, keys, { ...options, ca: certificateFile("rogue-ca.crt") });
    const renewed = worker(transport, keys, { ...options, ...certificatePem("server-renewed") });
    const foreign = worker(transport, new TicketKeyRotation(() => {}).keys, options);
    const { session } = await before.connect(version, undefined, servername);
    expect((await renewed.connect(version, session, servername)).resumed).toBe(true);
    expect((await after.connect(version, session, servername)).resumed).toBe(false);
    expect((await foreign.connect(version, session, servername)).resumed).toBe(false);
  });
}

test("OpenSSL asks for keys only where a client has a ticket of another key than the current one", async () => {
  const rotation = new TicketKeyRotation(() => {});
  rotation.start();
  const { terms } = worker(handle, rotation.keys);
  const helloWith = (key: Buffer | undefined) =>
    Buffer.concat([Buffer.alloc(99), key?.subarray(0, 16) ?? Buffer.alloc(0), Buffer.alloc(99)]);
  const asks = (key: Buffer | undefined) => terms.contextOf(helloWith(key)) === terms.context;
  const [current, next] = rotation.keys;
  expect([asks(undefined), asks(current), asks(next)]).toEqual([false, false, true]);
  rotation.stop();
});
