/** The chat that comes with drover: names, rooms, and its deadlines. */
import { expect, test } from "vitest";
import chat from "../../src/protocols/chat.js";
import type { Client } from "../support/client.js";
import { connected, manualClock, serving } from "../support/serving.js";
import { until } from "../support/until.js";

const has = (client: Client, line: string) => until(() => client.bytes.toString().includes(`${line}\n`));
const text = (client: Client) => client.bytes.toString().split("\n").slice(0, -1);

async function guest(server: { readonly port: number }, name: string): Promise<Client> {
  const client = await connected(server);
  client.write(`${name}\n`);
  await has(client, "* you are in lobby");
  return client;
}

test("guests talk in rooms; those that leave, or are cut off, are said to have left", async () => {
  const server = await serving(chat);
  const anna = await guest(server, "anna");
  const ben = await guest(server, "ben");
  // Where ben came before anna had the list of those that are there, he is in it.
  await until(() => text(anna).some((line) => line === "* ben came" || line === "* here: ben"));
  const came = () => text(anna).filter((line) => line === "* ben came").length;
  const before = came();
  await has(ben, "* here: anna");
  ben.write("hello\n/who\n");
  await has(ben, "* 2 in lobby: anna, ben");
  await has(anna, "ben: hello");
  ben.write("/join кухня\nany tea?\n");
  await has(ben, "* you are in кухня");
  await has(anna, "* ben left");
  ben.write("/join lobby\n");
  await has(ben, "* you are in lobby");
  await until(() => came() === before + 1);
  ben.reset();
  await until(() => text(anna).filter((line) => line === "* ben left").length === 2);
  anna.write("/who\n");
  await has(anna, "* 1 in lobby: anna");
  expect(text(anna)).not.toContain("ben: any tea?");
  expect(text(anna)).not.toContain("anna: hello");
  anna.write("/quit\n");
  await anna.end();
});

test("a wrong name or command is explained; silence ends", async () => {
  const clock = manualClock();
  const server = await serving(chat);
  const client = await connected(server);
  await has(client, "* what is your name?");
  client.write("a b\n");
  await has(client, "* a name has 1 to 24 letters, digits, _ or -");
  client.write("anna\n/dance\n/join a b\n");
  await has(client, "* a room has 1 to 40 letters, digits, _ or -");
  expect(text(client).some((line) => line.startsWith("* commands: /join ROOM"))).toBe(true);
  const nameless = await connected(server);
  await has(nameless, "* what is your name?");
  await clock.advance(30_000);
  await nameless.end();
  expect(client.closed).toBe(false);
  await clock.advance(30 * 60_000);
  await client.end();
  expect(server.counters.closed.idle).toBe(1);
});
