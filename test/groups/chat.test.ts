/** The chat that comes with drover, over real sockets: what its clients cannot do to each other. */
import { expect, test, vi } from "vitest";
import { uplink } from "../../src/groups/local/present.js";
import chat from "../../src/protocols/chat.js";
import type { Client } from "../support/client.js";
import { connected, crashes, serving } from "../support/serving.js";
import { until } from "../support/until.js";

const linesOf = (client: Client) => client.bytes.toString().split("\n").slice(0, -1);

test("a room of long names in any script is listed to all, within the length of a line", async () => {
  const server = await serving(chat);
  const seen = crashes();
  const guests: Client[] = [];
  for (let at = 0; at < 20; at++) {
    const name = `${String.fromCodePoint(0x4e00 + at)}${"語".repeat(23)}`;
    guests.push((await connected(server)).write(`${name}\n`));
  }
  const late = (await connected(server)).write("ada\n");
  const here = await until(() => linesOf(late).find((line) => line.startsWith("* here: ")));
  expect(here).toMatch(/, …$/);
  late.write("/who\n");
  const who = await until(() => linesOf(late).find((line) => line.startsWith("* 21 in lobby: ")));
  for (const line of [here, who]) {
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(1_024);
    expect(Buffer.byteLength(line)).toBeGreaterThan(700);
  }
  expect(seen).toEqual([]);
});

test("a line that is too long with its name is not lost in silence", async () => {
  const server = await serving(chat);
  const ada = (await connected(server)).write("ada\n");
  const eve = (await connected(server)).write("eve\n");
  await until(() => linesOf(ada).some((line) => /^\* (here: eve|eve came)$/.test(line)));
  ada.write(`${"x".repeat(1_020)}\n${"y".repeat(900)}\n`);
  await until(() => linesOf(eve).includes(`ada: ${"y".repeat(900)}`));
  expect(linesOf(ada).filter((line) => line.startsWith("* a line has at most"))).toHaveLength(1);
});

test("/who while the exchange does not answer ends no client", async () => {
  const server = await serving(chat);
  const seen = crashes();
  const ada = (await connected(server)).write("ada\n");
  await until(() => linesOf(ada).includes("* you are in lobby"));
  const query = vi.spyOn(uplink, "query").mockRejectedValue(new Error("the exchange has not answered"));
  ada.write("/who\n");
  await until(() => linesOf(ada).includes("* the members cannot be listed now: try again"));
  query.mockRestore();
  ada.write("/who\n");
  await until(() => linesOf(ada).includes("* 1 in lobby: ada"));
  expect(seen).toEqual([]);
});
