/** Asks, sends and publishes of other NATS clients. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { Outside, type OutsideKind } from "../../../src/exchange/nats/outside.js";
import { Message } from "../../../src/groups/message.js";
import { ManualClock, useClock } from "../../../src/otp/time/clock.js";

let clock: ManualClock;
let restore: () => void;
beforeEach(() => {
  clock = new ManualClock();
  restore = useClock(clock);
});
afterEach(() => restore());

interface Seen {
  what: string;
  id?: number;
  within?: number;
  value: unknown;
}

function outside(maxMessage = 1_000) {
  const seen: Seen[] = [];
  const value = (body: Buffer) => Message.read(body).value;
  const own = new Outside({
    maxMessage,
    hub: { publish: (group, body) => void seen.push({ what: group, value: value(body) }) },
    names: {
      ask: (_, id, name, { within, body }) => void seen.push({ what: name, id, within, value: value(body) }),
    },
  });
  const replies: unknown[] = [];
  const send = (
    kind: OutsideKind,
    rest: string,
    data: string | Buffer,
    headers: Record<string, string> = {},
  ) =>
    own.handle(kind, `drover.p.${kind}.`, {
      subject: `drover.p.${kind}.${rest}`,
      data: Buffer.from(data),
      header: (name) => headers[name],
      reply: (content) => void replies.push(String(content)),
      fail: (code, text) => void replies.push([code, text]),
    });
  return { own, seen, replies, send };
}

const answer = (value: any): Buffer => {
  const message = Message.of(value);
  const bytes = Buffer.alloc(message.byteLength);
  message.write(bytes, 0);
  return bytes;
};

it("asks the name that the subject says, and replies with its answer", () => {
  const { own, seen, replies, send } = outside();
  send("ask", "device.42", '{"op":"read"}');
  send("ask", "device.10.0.0.7", "read");
  send("ask", "device", Buffer.from([255, 254]), { "Drover-Name": "device/a b*>", "Drover-Within-Ms": "50" });
  expect(seen).toEqual([
    { what: "device/42", id: 1, within: 5_000, value: { op: "read" } },
    { what: "device/10.0.0.7", id: 2, within: 5_000, value: "read" },
    { what: "device/a b*>", id: 3, within: 50, value: Buffer.from([255, 254]) },
  ]);
  own.answered(2, "nobody", "no process holds the name");
  own.answered(1, "answer", answer({ ok: true }));
  own.answered(1, "answer", answer("twice"));
  own.answered(3, "answer", answer("text"));
  expect(replies).toEqual([[404, "no process holds the name"], '{"ok":true}', "text"]);
  expect(clock.pending).toBe(0);
});

it("says when no answer comes in time", async () => {
  const { own, replies, send } = outside();
  send("ask", "device.42", "1", { "Drover-Within-Ms": "50" });
  await clock.advance(50);
  expect(replies).toEqual([[504, "no answer within 50 ms; it may have been handled"]]);
  own.answered(1, "answer", answer(1));
  expect(replies.length).toBe(1);
});

it("publishes to groups and sends to names, and says that it has", () => {
  const { seen, replies, send } = outside();
  send("publish", "room.general", "hello");
  send("publish", "lobby", '"hello"');
  send("send", "device.42", "[1]");
  expect(seen).toMatchObject([
    { what: "room/general", value: "hello" },
    { what: "lobby", value: "hello" },
    { what: "device/42", id: 0, value: [1] },
  ]);
  expect(replies).toEqual(["", "", ""]);
});

it("refuses what is too large or has no name, and nothing is sent", () => {
  const { seen, replies, send } = outside();
  send("publish", "room.general", Buffer.alloc(1_001, 32));
  send("ask", "device.42", "1", { "Drover-Name": "x".repeat(256) });
  send("ask", "device.42", "1", { "Drover-Within-Ms": "1h" });
  expect(seen).toEqual([]);
  expect(replies).toEqual([
    [413, "the message has 1001 bytes, at most 1000 are sent"],
    [400, expect.stringContaining("must have 1 to 255 bytes")],
    [400, "Drover-Within-Ms must be a whole number from 1 to 60000"],
  ]);
});

it("takes what --max-message allows, also above its default", () => {
  const { seen, replies, send } = outside(200_000);
  const large = "x".repeat(150_000);
  send("publish", "room.general", large);
  send("send", "device.42", JSON.stringify([large]));
  send("ask", "device.42", Buffer.alloc(150_000, 255));
  expect(replies).toEqual(["", ""]);
  expect(seen.map(({ value }) => String(value).length)).toEqual([150_000, 150_000, 150_000]);
});
