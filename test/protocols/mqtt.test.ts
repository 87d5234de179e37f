/** The MQTT broker that comes with drover: packets, wildcards, retained messages, wills, limits. */
import { expect, test } from "vitest";
import { framing, number, packet } from "../../src/protocols/mqtt/packets.js";
import { isFilter, matcher } from "../../src/protocols/mqtt/topics.js";
import mqtt from "../../src/protocols/mqtt.js";
import type { Client } from "../support/client.js";
import { closedAs, connected, manualClock, serving } from "../support/serving.js";
import { until } from "../support/until.js";

const text = (value: string) => Buffer.concat([number(Buffer.byteLength(value)), Buffer.from(value)]);
const connectPacket = (id: string, { keepAlive = 0, will }: { keepAlive?: number; will?: string } = {}) => {
  const flags = will === undefined ? 2 : 0x2e;
  const last = will === undefined ? [] : [text("will"), text(will)];
  return packet(0x10, text("MQTT"), Buffer.from([4, flags]), number(keepAlive), text(id), ...last);
};
const publishing = (topic: string, payload: string, { retain = false, id = 0 } = {}) =>
  packet(
    0x30 | (retain ? 1 : 0) | (id ? 2 : 0),
    text(topic),
    ...(id ? [number(id)] : []),
    Buffer.from(payload),
  );
const subscribing = (filter: string, qos = 0) => packet(0x82, number(7), text(filter), Buffer.from([qos]));

type Server = Awaited<ReturnType<typeof serving>>;
async function client(server: Server, id: string, options = {}): Promise<Client> {
  const one = await connected(server);
  one.write(connectPacket(id, options));
  await until(() => one.bytes.equals(packet(0x20, Buffer.from([0, 0]))));
  return one;
}
const has = (one: Client, bytes: Buffer) => until(() => one.bytes.includes(bytes));

test("a message goes to all subscribers, retained ones also to later subscribers", async () => {
  const server = await serving(mqtt);
  const [ada, bob] = [await client(server, "ada"), await client(server, "bob")];
  ada.write(Buffer.concat([subscribing("home/+/light", 2), packet(0xc0)]));
  await has(ada, Buffer.concat([packet(0x90, number(7), Buffer.from([1])), packet(0xd0)]));
  bob.write(publishing("home/kitchen/light", "on", { retain: true, id: 9 }));
  await has(bob, packet(0x40, number(9)));
  await has(ada, packet(0x32, text("home/kitchen/light"), number(1), Buffer.from("on")));
  const eve = await client(server, "eve");
  eve.write(subscribing("#"));
  await has(eve, publishing("home/kitchen/light", "on", { retain: true }));
  bob.write(publishing("home/kitchen/light", "", { retain: true }));
  const late = await client(server, "late");
  late.write(Buffer.concat([subscribing("#"), packet(0xc0)]));
  await has(late, packet(0xd0));
  expect(late.bytes.includes("kitchen")).toBe(false);
  ada.write(Buffer.concat([packet(0xa2, number(8), text("home/+/light"))]));
  await has(ada, packet(0xb0, number(8)));
});

test("a will is published when its client is cut off, is silent or is taken over, and not after DISCONNECT", async () => {
  const clock = manualClock();
  const server = await serving(mqtt);
  const watcher = await client(server, "watcher");
  watcher.write(subscribing("will"));
  (await client(server, "a", { will: "cut" })).reset();
  await has(watcher, publishing("will", "cut"));
  await client(server, "b", { will: "taken" });
  await client(server, "b", { will: "silent", keepAlive: 10 });
  await has(watcher, publishing("will", "taken"));
  await clock.advance(16_000);
  await has(watcher, publishing("will", "silent"));
  const polite = await client(server, "c", { will: "never" });
  await polite.write(packet(0xe0)).end();
  const mute = await connected(server);
  await until(() => server.counters.accepted === 6);
  await clock.advance(11_000);
  await mute.end();
  await watcher.close();
  await closedAs(server);
  expect(server.counters.own).toMatchObject({ taken_over: 1, keep_alive: 1, disconnect: 1, no_connect: 1 });
  expect(watcher.bytes.includes("never")).toBe(false);
});

test.each([
  ["length", Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 1])],
  ["type", packet(0xf0)],
  ["flags", packet(0x11)],
  ["truncated", packet(0x10, text("MQTT").subarray(0, 4))],
  ["connect", packet(0x10, text("MQIsdp"), Buffer.alloc(8))],
  ["text", packet(0x30, number(1), Buffer.from([0xff]))],
  ["topic", publishing("a/+", "x")],
  ["qos", packet(0x34, text("a"), number(1))],
  ["id", packet(0x32, text("a"), number(0))],
  ["length", packet(0xc0, Buffer.from([1]))],
])("a malformed packet ends its own connection: %s", async (what, bytes) => {
  const server = await serving(mqtt);
  const [good, bad] = [await client(server, "good"), await client(server, "bad")];
  await (await bad.write(bytes).end()).close();
  await has(good.write(packet(0xc0)), packet(0xd0));
  await until(() => server.counters.closed.frame_invalid === 1);
  const decoder = framing.decoder();
  decoder.push(bytes);
  expect(() => decoder.pull()).toThrow(what);
});

test("another level of the protocol, and a second CONNECT, are refused", async () => {
  const server = await serving(mqtt);
  const five = await connected(server);
  const level = packet(0x10, text("MQTT"), Buffer.from([5, 2]), number(0), text("x"));
  await (await five.write(level).end()).close();
  expect(five.bytes).toEqual(packet(0x20, Buffer.from([0, 1])));
  const twice = await client(server, "twice");
  await (await twice.write(connectPacket("twice")).end()).close();
  await closedAs(server);
  expect(server.counters.own).toMatchObject({ refused: 1, out_of_order: 1 });
});

test.each([
  ["a/b", "a/b", true],
  ["a/b", "a", false],
  ["a/+", "a/b", true],
  ["a/+", "a/b/c", false],
  ["a/+/c", "a//c", true],
  ["a/#", "a", true],
  ["a/#", "a/b/c", true],
  ["#", "a/b", true],
  ["#", "$SYS/x", false],
  ["+/x", "$SYS/x", false],
  ["$SYS/#", "$SYS/x", true],
])("filter %s, topic %s: %s", (filter, topic, expected) => {
  expect(matcher(filter)(topic)).toBe(expected);
});

test.each(["a/#/b", "a#", "+a", "a/b+", ""])("%s is no filter", (filter) => {
  expect(isFilter(filter)).toBe(false);
});
