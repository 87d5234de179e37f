/** Keys of session tickets: rotation on the manual clock, the file, and resumption by another worker. */
import { once } from "node:events";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type SecureVersion, TLSSocket } from "node:tls";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";
import { readCredentials } from "../../src/tls/credentials/read-credentials.js";
import { ListenerTerms } from "../../src/tls/handshake/listener-terms.js";
import type { TlsOptions } from "../../src/tls/options.js";
import { readTicketKeys, TicketKeyRotation, type TicketKeys } from "../../src/tls/tickets/ticket-keys.js";
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

/** A worker: what it serves, and the keys that it was sent last. */
class TestWorker {
  keys: TicketKeys;
  readonly #server: Server;

  constructor(keys: TicketKeys, options: Partial<TlsOptions> = {}) {
    this.keys = keys;
    const { credentials } = readCredentials({ ...certificatePem("server"), ...options }, "main", 0);
    const terms = new ListenerTerms("main", credentials, () => this.keys);
    this.#server = createServer((socket) => {
      const secure = new TLSSocket(socket, {
        isServer: true,
        secureContext: terms.context,
        requestCert: terms.clientCerts !== "none",
        rejectUnauthorized: false,
      });
      secure.on("error", () => {});
      secure.end("x");
    }).listen(0, "127.0.0.1");
  }

  async connect(version: SecureVersion, session?: Buffer): Promise<{ resumed: boolean; session: Buffer }> {
    if (!this.#server.listening) await once(this.#server, "listening");
    const { port } = this.#server.address() as AddressInfo;
    const tls = { rejectUnauthorized: false, minVersion: version, maxVersion: version } as const;
    const socket = connect({ ...tls, ...certificatePem("client"), host: "127.0.0.1", port, session });
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
    this.#server.close();
  }
}

function worker(...given: ConstructorParameters<typeof TestWorker>): TestWorker {
  const started = new TestWorker(...given);
  onTestFinished(() => started.close());
  return started;
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`${version}: a session is resumed by another worker, and across a rotation`, async () => {
    const rotation = new TicketKeyRotation(() => {});
    rotation.start();
    const [one, other] = [worker(rotation.keys), worker(rotation.keys)];
    const begun = await one.connect(version);
    expect(begun.resumed).toBe(false);
    expect((await other.connect(version, begun.session)).resumed).toBe(true);
    await clock.advance(HALF_A_DAY);
    // The other worker has the new keys before this one: it has known the key as the next one.
    other.keys = rotation.keys;
    const renewed = await other.connect(version, begun.session);
    expect(renewed.resumed).toBe(true);
    expect((await one.connect(version, renewed.session)).resumed).toBe(true);
    await clock.advance(HALF_A_DAY);
    one.keys = rotation.keys;
    expect((await one.connect(version, renewed.session)).resumed).toBe(true);
    expect((await one.connect(version, begun.session)).resumed).toBe(false);
  });

  test(`${version}: no session outlives a change of the authority, and none has the keys of another server`, async () => {
    const { keys } = new TicketKeyRotation(() => {});
    const before = worker(keys, { ca: certificateFile("ca.crt") });
    const after = worker(keys, { ca: certificateFile("rogue-ca.crt") });
    const renewed = worker(keys, {
      ca: certificateFile("ca.crt"),
      ...certificatePem("server-renewed"),
    });
    const foreign = worker(new TicketKeyRotation(() => {}).keys, { ca: certificateFile("ca.crt") });
    const { session } = await before.connect(version);
    expect((await renewed.connect(version, session)).resumed).toBe(true);
    expect((await after.connect(version, session)).resumed).toBe(false);
    expect((await foreign.connect(version, session)).resumed).toBe(false);
  });
}
