/** The bound on what waits to be written to a channel. */
import { expect, test } from "vitest";
import { DropWarning } from "../../../src/cluster/channel/drop-warning.js";
import type { SignalEnvelope } from "../../../src/cluster/channel/messages.js";
import { type Diagnostic, MAX_WAITING_MIB, SendQueue } from "../../../src/cluster/channel/send-queue.js";
import { manualClock } from "../../otp/support.js";

const MIB = 2 ** 20;
const time = manualClock();

/** A channel that writes nothing until `read`. */
function stalled() {
  const waiting: { bytes: number; kind: string; written(): void }[] = [];
  const channel = { dropped: 0, waiting, bytes: 0, read: () => {} };
  const queue = new SendQueue<Diagnostic>(
    (message, written) => {
      const bytes = message.t === "signal" ? message.d.payload.byteLength : 0;
      channel.bytes += bytes;
      waiting.push({ bytes, kind: message.t === "signal" ? message.d.kind : message.t, written });
    },
    () => channel.dropped++,
  );
  channel.read = () => {
    for (const { written } of waiting.splice(0)) written();
    channel.bytes = 0;
  };
  return { channel, queue };
}

const body = new Map<number, Uint8Array>();
function signal(bytes: number, kind: SignalEnvelope["kind"] = "send"): SignalEnvelope {
  const payload = body.get(bytes) ?? new Uint8Array(bytes);
  body.set(bytes, payload);
  return { to: [2, 7], kind, payload, pids: false };
}

test.each([0, 100, 10_000, MIB])(
  "messages of %d bytes wait up to the bound, what comes later is dropped and counted",
  (bytes) => {
    const { channel, queue } = stalled();
    const sent = Math.ceil((MAX_WAITING_MIB * MIB) / (bytes + 1_000));
    for (let n = 0; n < sent * 2; n++) queue.signal(signal(bytes, n % 2 ? "send" : "cast"));
    expect(channel.bytes).toBeLessThanOrEqual(MAX_WAITING_MIB * MIB);
    expect(channel.waiting.length).toBeGreaterThan(sent / 2);
    expect(channel.waiting.length + channel.dropped).toBe(sent * 2);
    expect(channel.dropped).toBeGreaterThan(0);
  },
);

test("messages pass again when those that waited have been read", () => {
  const { channel, queue } = stalled();
  for (let n = 0; n < 100; n++) queue.signal(signal(MIB));
  const { dropped } = channel;
  channel.read();
  queue.signal(signal(MIB));
  expect([channel.dropped, channel.waiting.length]).toEqual([dropped, 1]);
});

test("once a message was dropped, all are until half of what waited has been read: none is serialized for nothing", () => {
  const { channel, queue } = stalled();
  for (let n = 0; n < 100; n++) queue.signal(signal(MIB));
  const { dropped } = channel;
  const waited = channel.waiting.length;
  for (const { written } of channel.waiting.splice(0, waited / 2 - 1)) written();
  queue.signal(signal(1));
  expect([queue.drops("send"), queue.drops("cast"), queue.drops("exit")]).toEqual([true, true, false]);
  expect(channel.dropped).toBe(dropped + 3);
  for (const { written } of channel.waiting.splice(0, 2)) written();
  expect([queue.drops("send"), channel.dropped]).toEqual([false, dropped + 3]);
});

test("twenty thousand short messages of one turn of the event loop pass", () => {
  const { channel, queue } = stalled();
  for (let n = 0; n < 20_000; n++) queue.signal(signal(100));
  expect([channel.dropped, channel.waiting.length]).toEqual([0, 20_000]);
});

test("a message larger than the bound passes where nothing waits", () => {
  const { channel, queue } = stalled();
  queue.signal(signal(MAX_WAITING_MIB * MIB * 2));
  queue.signal(signal(1));
  expect([channel.waiting.length, channel.dropped]).toEqual([1, 1]);
});

test("exit signals pass behind messages, up to a bound of their own", () => {
  const { channel, queue } = stalled();
  for (let n = 0; n < 40_000; n++) queue.signal(signal(0));
  const messages = channel.waiting.length;
  for (let n = 0; n < 40_000; n++) queue.signal(signal(0, "exit"));
  const exits = channel.waiting.length - messages;
  expect(channel.waiting.at(-1)?.kind).toBe("exit");
  expect(exits).toBeGreaterThan(500);
  expect(exits).toBeLessThan(1_000);
});

test("log records and traces wait up to 1 MiB, and are no dropped messages", () => {
  const { channel, queue } = stalled();
  for (let n = 0; n < 10_000; n++) queue.diagnostic({ t: "record", d: "x".repeat(300) });
  expect(channel.waiting.length).toBeLessThan(1_000);
  expect(channel.dropped).toBe(0);
});

test("the first dropped message is warned about at once, the next ones every 10 s with their number", async () => {
  const lines: unknown[] = [];
  const warning = new DropWarning({ warn: (...line) => void lines.push(line) }, "for worker 2", "worker 2");
  for (let n = 0; n < 1_000; n++) warning.dropped();
  await time.clock.advance(10_000);
  warning.dropped();
  const text = (many: string) =>
    `Dropped ${many} for worker 2: worker 2 reads too slowly, and ${MAX_WAITING_MIB} MiB wait for it`;
  expect(lines).toEqual([
    [text("1 message"), { dropped: 1 }],
    [text("1000 messages"), { dropped: 1_000 }],
  ]);
});
