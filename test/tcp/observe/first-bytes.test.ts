/** A listener that gets the wrong first bytes: one line says what they look like, and what to set. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, onTestFinished, test } from "vitest";
import { defineProtocol, encodeProxyHeader, json, packet } from "../../../src/index.js";
import type { ConnectionClosed, OpeningFailed } from "../../../src/tcp/observe/events.js";
import { closedAs, connected, manualClock, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const ends = {
  source: { address: "192.0.2.7", port: 51_234 },
  destination: { address: "198.51.100.1", port: 443 },
};
const V1 = encodeProxyHeader({ ...ends, version: 1 });
const V2 = encodeProxyHeader(ends);
const UNEXPECTED =
  "which this listener does not expect: set proxy.from (--proxy-from), or let the proxy send none";

function events<T>(name: string): T[] {
  const seen: T[] = [];
  const note = (event: unknown) => void seen.push(event as T);
  subscribe(name, note);
  onTestFinished(() => void unsubscribe(name, note));
  return seen;
}

const plain = (framing: any, proxy?: { from: string[] }) =>
  serving(
    defineProtocol({
      name: "plain",
      framing,
      states: { ready: { frame: (conn, frame) => conn.send(frame) } },
    }),
    { ...(proxy && { proxy }) },
  );

/** A client that sends this, and leaves as soon as the server has ended. */
async function sends(server: Parameters<typeof connected>[0], bytes: string | Buffer): Promise<void> {
  const client = await (await connected(server)).write(bytes).end();
  await client.close();
}

test.each([
  ["a PROXY header", V1, `a PROXY header (version 1), ${UNEXPECTED}`],
  ["a PROXY header", V2, `a PROXY header (version 2), ${UNEXPECTED}`],
  [
    "TLS",
    Buffer.from("160301020001000000", "hex"),
    "a TLS handshake, which this listener does not speak: set tls (--tls-cert), or let the client use none",
  ],
])("%s on a listener without it", async (_, bytes, hint) => {
  const server = await plain(packet(4));
  const failures = events<OpeningFailed>("tcp.opening_failed");
  const closed = events<ConnectionClosed>("tcp.connection.closed");
  await sends(server, bytes);
  expect(await closedAs(server)).toEqual({ frame_too_long: 1 });
  expect(failures).toMatchObject([{ listener: "main", counted: "frame_too_long" }]);
  expect(failures[0]?.message).toMatch(/^packet\(4\): the peer declares a frame of \d+ bytes/);
  expect(failures[0]?.message.endsWith(`; it begins like ${hint}`)).toBe(true);
  expect(closed[0]?.detail).toBe(failures[0]?.message);
});

test("where the framing waits for more, the deadline of the frame tells, or the client's FIN", async () => {
  const clock = manualClock();
  const server = await plain(packet(2));
  const failures = events<OpeningFailed>("tcp.opening_failed");
  const waits = (await connected(server)).write(V1);
  await until(() => server.counters.bytesReceived === V1.length);
  await turn(2);
  await clock.advance(15_300);
  await waits.end();
  await waits.close();
  (await connected(server)).write(V2).finish();
  expect(await closedAs(server)).toEqual({ frame_timeout: 1, truncated: 1 });
  expect(failures.map(({ message }) => message)).toEqual([
    `a frame did not end in time; it begins like a PROXY header (version 1), ${UNEXPECTED}`,
    `the client ended within a frame; it begins like a PROXY header (version 2), ${UNEXPECTED}`,
  ]);
});

test("a second header behind the first", async () => {
  const server = await plain(packet(4), { from: ["127.0.0.1"] });
  const failures = events<OpeningFailed>("tcp.opening_failed");
  await sends(server, Buffer.concat([V2, V2]));
  expect(await closedAs(server)).toEqual({ frame_too_long: 1 });
  expect(failures[0]?.message).toMatch(
    /it begins like a PROXY header \(version 2\), and one was read already$/,
  );
});

test("other bytes, or later ones, are the client's fault: no line of their own", async () => {
  const server = await plain(json());
  const failures = events<OpeningFailed>("tcp.opening_failed");
  const closed = events<ConnectionClosed>("tcp.connection.closed");
  await sends(server, "GET / HTTP/1.1\r\n\r\n");
  await sends(server, Buffer.concat([Buffer.from("1\n"), V1]));
  await closedAs(server);
  expect(failures).toEqual([]);
  const hints = closed.map(({ detail }) => /; it begins like (.*)$/.exec(detail ?? "")?.[1] ?? "none");
  expect(hints.sort()).toEqual(["an HTTP request", "none"]);
});
