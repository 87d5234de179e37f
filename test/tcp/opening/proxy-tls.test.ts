/** A PROXY header in front of a TLS handshake: cut at every place, one deadline for both, and each failure by its name. */
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { describe, expect, test } from "vitest";
import { defineProtocol, encodeProxyHeader, lines, type ServeOptions } from "../../../src/index.js";
import { certificateFiles } from "../../support/certificates/certificates.js";
import { Client } from "../../support/client.js";
import { closedAs, connected, manualClock, serving } from "../../support/serving.js";
import { CA } from "../../support/tls-client.js";
import { turn, until } from "../../support/until.js";

const HEADER = encodeProxyHeader({
  source: { address: "192.0.2.7", port: 51_234 },
  destination: { address: "198.51.100.1", port: 443 },
  authority: "a.example",
  crc32c: true,
});

const mirror = defineProtocol({
  name: "mirror",
  framing: lines(),
  data: ({ address }, { via, proxy }) => ({ address, via: via?.address, authority: proxy?.authority }),
  states: { ready: { frame: (conn, line) => conn.send(`${line} ${JSON.stringify(conn.data)}`) } },
});

const secured = (options: Partial<ServeOptions> = {}) =>
  serving(mirror, { proxy: { from: ["127.0.0.1"] }, tls: certificateFiles("server"), ...options });

/** A TLS client that sends the header first; header and hello leave in pieces of these lengths, and then the rest. */
async function through(port: number, pieces: readonly number[]): Promise<Client> {
  const raw = connectTcp({ port, host: "127.0.0.1", noDelay: true });
  await once(raw, "connect");
  let header: Buffer | undefined = HEADER;
  const cut = new Duplex({
    read: () => void raw.resume(),
    write: (bytes, _encoding, done) => {
      if (header === undefined) return void raw.write(bytes, done);
      const all = Buffer.concat([header, bytes]);
      header = undefined;
      void inPieces(raw, all, pieces).then(() => done(), done);
    },
    final: (done) => void raw.end(done),
    destroy: (error, done) => {
      raw.destroy();
      done(error);
    },
  });
  raw.on("data", (bytes) => cut.push(bytes) || raw.pause()).on("end", () => cut.push(null));
  raw.on("error", (error) => cut.destroy(error));
  const secure = connectTls({ socket: cut, ca: CA, servername: "localhost" });
  await once(secure, "secureConnect");
  return new Client(secure);
}

async function inPieces(raw: Socket, all: Buffer, pieces: readonly number[]): Promise<void> {
  let at = 0;
  for (const length of [...pieces, all.length]) {
    if (at < all.length) raw.write(all.subarray(at, at + length));
    at += length;
    await turn(3);
  }
}

describe.each(["handle", "stream"] as const)("over %s", (transport) => {
  test("cut anywhere, the header is read and the handshake gets every byte behind it", async () => {
    const server = await secured({ transport });
    const at = HEADER.length;
    for (const pieces of [
      [],
      [at],
      [at - 1],
      [at + 1],
      [1],
      [13],
      [at + 100],
      [at, 5, 40],
      [...Array(at + 6)].map(() => 1),
    ]) {
      const client = await through(server.port, pieces);
      client.write("hello\n");
      await until(() => client.bytes.includes("\n") || client.closed);
      expect([pieces, client.bytes.toString()]).toEqual([
        pieces,
        'hello {"address":"192.0.2.7","via":"127.0.0.1","authority":"a.example"}\n',
      ]);
      await client.close();
    }
    await until(() => server.counters.active === 0);
    expect(server.counters.closed.proxy_error + server.counters.closed.tls_error).toBe(0);
  });

  test("TLS without a header is proxy_error, plain bytes behind one are tls_error", async () => {
    const server = await secured({ transport });
    const early = await connected(server);
    early.write(Buffer.from("16030100050100000100", "hex"));
    await early.end();
    await until(() => server.counters.closed.proxy_error === 1);
    const plain = (await connected(server)).write(Buffer.concat([HEADER, Buffer.from("hello\n")]));
    await plain.end();
    expect(await closedAs(server)).toEqual({ proxy_error: 1, tls_error: 1 });
  });
});

test("header and handshake have 5 s together", async () => {
  const clock = manualClock();
  const server = await secured();
  const client = await connected(server);
  await until(() => server.counters.active === 1);
  await clock.advance(4_000);
  client.write(HEADER);
  await turn(5);
  await clock.advance(1_300);
  await client.end();
  expect(await closedAs(server)).toEqual({ handshake_timeout: 1 });
});

test("a client that goes between header and hello has closed", async () => {
  const server = await secured();
  const client = (await connected(server)).write(HEADER);
  await until(() => server.counters.active === 1);
  await turn(5);
  client.finish();
  await client.end();
  const counts = await closedAs(server);
  expect(Object.keys(counts)).toEqual(["closed"]);
});
