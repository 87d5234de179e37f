/** Borrowed frames that are echoed to a client which reads late: their memory may not be used again too early. */
import { expect, test } from "vitest";
import { defineProtocol, type Framing, lines, packet, raw } from "../../../src/index.js";
import { LIMITS } from "../../../src/tcp/protocol/limits.js";
import { packet2 } from "../../support/client.js";
import { connected, serving } from "../../support/serving.js";
import { until } from "../../support/until.js";

/** Bytes that tell where they are. */
function numbered(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8) * 7 + seed * 131) & 0xff;
  return bytes;
}

const mixed = [60_000, 3, 52_000, 65_535, 47_000, 0, 40_000, 500, 65_000];
const cases: [string, Framing<any, any>, (n: number) => Buffer][] = [
  ["packet(2)", packet(2), (n) => packet2(numbered(mixed[n % mixed.length] as number, n))],
  ["raw", raw(), (n) => numbered(mixed[n % mixed.length] as number, n)],
  [
    "lines",
    lines({ maxLength: 70_000 }),
    (n) =>
      Buffer.from(
        `${numbered(mixed[n % mixed.length] as number, n)
          .toString("hex")
          .slice(0, 65_000)}\n`,
      ),
  ],
];

for (const transport of ["handle", "stream"] as const) {
  for (const [name, framing, made] of cases) {
    test(`${transport}: ${name} of all sizes come back unspoilt to clients that read late`, async () => {
      const echo = defineProtocol({
        name: "echo",
        framing,
        frames: "borrowed",
        states: { ready: { frame: (conn, frame) => conn.send(frame) } },
      });
      const server = await serving(echo, { transport });
      const clients = await Promise.all(Array.from({ length: 6 }, () => connected(server)));
      const sent: Buffer[] = [];
      // One after the other sends until the kernel takes no more of what comes back: the server has to wait with bytes
      // that it has begun to write, while it serves the next.
      for (const client of clients) {
        client.socket.pause();
        // Each in another order, or all would come to their end at the same frame.
        const round = Buffer.concat(Array.from({ length: 60 }, (_, n) => made(n + sent.length)));
        const before = server.counters.bytesReceived;
        const full = () => server.counters.outbound >= (sent.length + 1) * LIMITS.highWater;
        let rounds = 0;
        while (!full()) {
          client.write(round);
          const due = before + ++rounds * round.length;
          await until(() => server.counters.bytesReceived >= due || full());
        }
        sent.push(Buffer.concat(Array.from({ length: rounds }, () => round)));
      }
      for (const client of clients) client.socket.resume();
      for (const [at, client] of clients.entries()) {
        const all = sent[at] as Buffer;
        await until(() => client.received >= all.length);
        expect(client.bytes.equals(all)).toBe(true);
      }
    });
  }
}

for (const length of [60_000, 20_000]) {
  test(`handle: borrowed frames of ${length} bytes that go to clients of another server arrive unspoilt`, async () => {
    const readers: { send(frame: Buffer): void }[] = [];
    const sink = defineProtocol({
      name: "sink",
      framing: packet(2),
      states: { ready: { enter: (conn) => void readers.push(conn) } },
    });
    let to = 0;
    const source = defineProtocol({
      name: "source",
      framing: packet(2),
      frames: "borrowed",
      states: { ready: { frame: (_conn, frame) => readers[to]?.send(frame) } },
    });
    const [there, here] = [await serving(sink), await serving(source)];
    const clients = await Promise.all(Array.from({ length: 6 }, () => connected(there)));
    await until(() => readers.length === clients.length);
    const writer = await connected(here);
    const sent: Buffer[][] = clients.map(() => []);
    let count = 0;
    // Each gets frames until the kernel has taken one of them only in part; the next ones use the same memory.
    for (const [at, client] of clients.entries()) {
      client.socket.pause();
      to = at;
      const before = there.counters.outbound;
      while (there.counters.outbound === before) {
        const frame = packet2(numbered(length, count));
        sent[at]?.push(frame);
        writer.write(frame);
        const due = ++count;
        await until(() => here.counters.framesReceived === due);
      }
    }
    for (const client of clients) client.socket.resume();
    for (const [at, client] of clients.entries()) {
      const all = Buffer.concat(sent[at] as Buffer[]);
      await until(() => client.received >= all.length);
      expect(client.bytes.equals(all)).toBe(true);
    }
  });
}
