/** PROXY headers in front of connections: who the peer is then, what is refused, and what is handed on. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, onTestFinished, test } from "vitest";
import { defineProtocol, encodeProxyHeader, lines, serve } from "../../../src/index.js";
import type { ConnectionClosed, OpeningFailed } from "../../../src/tcp/observe/events.js";
import { closedAs, connected, crashes, manualClock, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const ends = {
  source: { address: "192.0.2.7", port: 51_234 },
  destination: { address: "198.51.100.1", port: 443 },
};
const V1 = encodeProxyHeader({ ...ends, version: 1 });
const V2 = encodeProxyHeader({ ...ends, authority: "a.example", crc32c: true });
const LOCAL = encodeProxyHeader({ local: true });

/** Greets with what it knows of the client, and echoes lines. */
const mirror = defineProtocol({
  name: "mirror",
  framing: lines(),
  data: (peer, { via, local, proxy }) => ({
    ...{ peer: `${peer.address}:${peer.port}`, local: `${local.address}:${local.port}` },
    ...{ via: via?.address, version: proxy?.version, authority: proxy?.authority },
  }),
  states: {
    ready: {
      enter: (conn) => conn.send(JSON.stringify(conn.data)),
      frame: (conn, line) => {
        if (line === "crash") throw new Error("told to");
        return conn.send(line);
      },
    },
  },
});

const proxied = (from = ["127.0.0.0/8"]) => serving(mirror, { proxy: { from } });

/** What a channel publishes until the test ends. */
function events<T>(name: string): T[] {
  const seen: T[] = [];
  const note = (event: unknown) => void seen.push(event as T);
  subscribe(name, note);
  onTestFinished(() => void unsubscribe(name, note));
  return seen;
}

async function greeting(server: { port: number }, bytes: Buffer): Promise<Record<string, unknown>> {
  const client = (await connected(server)).write(bytes);
  await until(() => client.bytes.includes("\n") || client.ended);
  return JSON.parse(client.bytes.toString().split("\n")[0] as string);
}

describe.each(["handle", "stream"] as const)("over %s", (transport) => {
  test("peer, via and local are those of the header; TLVs are on conn.proxy", async () => {
    const server = await serving(mirror, { transport, proxy: { from: ["127.0.0.1"] } });
    const client = { peer: "192.0.2.7:51234", via: "127.0.0.1", local: "198.51.100.1:443" };
    expect(await greeting(server, V1)).toEqual({ ...client, version: 1 });
    expect(await greeting(server, V2)).toEqual({ ...client, version: 2, authority: "a.example" });
  });

  test("LOCAL, UNKNOWN, UDP and UNIX: the real addresses", async () => {
    const server = await serving(mirror, { transport, proxy: { from: ["127.0.0.1"] } });
    const unix = { address: "/run/x.sock", port: 0 };
    const udp = Buffer.from(encodeProxyHeader(ends));
    udp[13] = 0x12;
    for (const header of [
      LOCAL,
      Buffer.from("PROXY UNKNOWN\r\n"),
      udp,
      encodeProxyHeader({ source: unix, destination: unix }),
    ]) {
      const { peer, via, local } = await greeting(server, header);
      expect([peer, via, local]).toEqual([
        expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        undefined,
        `127.0.0.1:${server.port}`,
      ]);
    }
  });

  test("bytes behind the header are frames, however they come", async () => {
    const server = await serving(mirror, { transport, proxy: { from: ["127.0.0.1"] } });
    const frames = Array.from({ length: 200 }, (_, n) => `${n} ${"x".repeat(n)}`);
    const sent = Buffer.concat([V2, Buffer.from(`${frames.join("\n")}\n`)]);
    for (const cut of [sent.length, V2.length, V2.length + 1, V2.length - 1, 1, 13]) {
      const client = (await connected(server)).write(sent.subarray(0, cut));
      if (cut < V2.length) await turn(5);
      await until(() => cut < V2.length || client.received > 0);
      client.write(sent.subarray(cut)).finish();
      await until(() => client.ended);
      expect(client.bytes.toString().split("\n").slice(1, -1)).toEqual(frames);
    }
  });
});

test.each([
  [
    "HTTP",
    "GET / HTTP/1.1\r\n\r\n",
    /does not begin with "G" \(0x47\), and this looks like an HTTP request$/,
  ],
  ["TLS", "\x16\x03\x01\x02\x00\x01", /does not begin with 0x16, and this looks like a TLS handshake$/],
  [
    "a wrong line",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n",
    /^byte 34 of the PROXY header, version 1, cannot be "9"/,
  ],
  [
    "a wrong checksum",
    Buffer.concat([V2.subarray(0, -1), Buffer.from([1])]),
    /the checksum \(CRC32c\) does not fit$/,
  ],
])("%s instead of a header: closed as proxy_error, and one line says why", async (_, bytes, message) => {
  const server = await proxied();
  const failures = events<OpeningFailed>("tcp.opening_failed");
  const client = await connected(server);
  client.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  await client.end();
  expect(await closedAs(server)).toEqual({ proxy_error: 1 });
  expect(failures).toMatchObject([{ counted: "proxy_error", peer: { address: "127.0.0.1" } }]);
  expect(failures[0]?.message).toMatch(message);
  expect(client.received).toBe(0);
});

test("a header that ends in FIN is an error, FIN before it is not", async () => {
  const server = await proxied();
  (await connected(server)).finish();
  await until(() => server.counters.closed.closed === 1);
  (await connected(server)).write(V1.subarray(0, 20)).finish();
  expect(await closedAs(server)).toEqual({ closed: 1, proxy_error: 1 });
});

test("from outside the networks a connection is closed unread", async () => {
  const server = await proxied(["10.0.0.0/8"]);
  const failures = events<OpeningFailed>("tcp.opening_failed");
  const client = (await connected(server)).write(V2);
  await client.end();
  expect(await closedAs(server)).toEqual({ proxy_untrusted: 1 });
  expect([client.received, server.counters.bytesReceived]).toEqual([0, 0]);
  expect(failures[0]?.message).toMatch(/^not a trusted proxy: .* add its address to proxy\.from/);
});

test("health checks of both kinds end without a failure: header and RST, LOCAL and FIN", async () => {
  const server = await proxied();
  const failures = events<OpeningFailed>("tcp.opening_failed");
  const check = (await connected(server)).write(V1);
  await until(() => check.received > 0);
  check.reset();
  await until(() => server.counters.closed.closed === 1);
  (await connected(server)).write(LOCAL).finish();
  expect(await closedAs(server)).toEqual({ closed: 2 });
  expect(failures).toEqual([]);
});

test("a reset after the first byte of the protocol is one", async () => {
  const server = await proxied();
  const client = (await connected(server)).write(V1).write("a\n");
  await until(() => client.bytes.toString().endsWith("a\n"));
  client.reset();
  expect(await closedAs(server)).toEqual({ reset: 1 });
});

test("a second header is protocol", async () => {
  const server = await proxied();
  const client = (await connected(server)).write(Buffer.concat([V1, V1]));
  await until(() => client.bytes.toString().includes("PROXY TCP4"));
});

test("a header of a byte a second ends at 5 s", async () => {
  const clock = manualClock();
  const server = await proxied();
  const slow = await connected(server);
  for (let second = 0; second < 5; second++) {
    slow.write(V2.subarray(second, second + 1));
    await turn(2);
    await clock.advance(1_000);
  }
  await clock.advance(200);
  await slow.end();
  expect(await closedAs(server)).toEqual({ handshake_timeout: 1 });
});

test("a thousand silent openings cost an honest client nothing, and end together", async () => {
  const clock = manualClock();
  const server = await proxied();
  const silent = await Promise.all(Array.from({ length: 1_000 }, () => connected(server)));
  await until(() => server.counters.active === 1_000);
  const client = (await connected(server)).write(V2);
  for (let n = 0; n < 20; n++) {
    client.write(`${n}\n`);
    await until(() => client.bytes.toString().endsWith(`\n${n}\n`));
  }
  await clock.advance(5_300);
  await until(() => server.counters.active === 1);
  expect(server.counters.closed.handshake_timeout).toBe(1_000);
  await Promise.all(silent.map((one) => one.end()));
  client.write("still\n");
  await until(() => client.bytes.toString().endsWith("still\n"));
});

test("events and crash reports have both addresses", async () => {
  const server = await proxied();
  const reports = crashes();
  const closed = events<ConnectionClosed>("tcp.connection.closed");
  const client = (await connected(server)).write(V1).write("crash\n");
  await client.end();
  const port = client.socket.localPort;
  const both = { peer: ends.source, via: { address: "127.0.0.1", port } };
  expect(closed).toMatchObject([{ ...both, counted: "crash" }]);
  expect(reports).toMatchObject([{ details: both }]);
});

test.each([
  [{ from: [] }],
  [{ from: ["10.0.0.0/33"] }],
  [{ from: "10.0.0.0/8" }],
  [{ from: ["10.0.0.0/8"], to: 1 }],
  [true],
])("%j is refused by its name", async (proxy) => {
  await expect(serve(mirror, { port: 0, proxy: proxy as never })).rejects.toThrow(
    'serve: "proxy" must be an object such as { from: ["10.0.0.0/8"] }: networks, addresses, or "unix", got',
  );
});
