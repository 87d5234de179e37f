/** The tracker that comes with drover: packets from a manual of the GT06, its deadlines, its journal, its framing. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Journal } from "../../src/protocols/tracker/journal.js";
import { framing, type Packet } from "../../src/protocols/tracker/packets.js";
import tracker from "../../src/protocols/tracker.js";
import { framingChecks } from "../../src/testing.js";
import { closedAs, connected, manualClock, serving } from "../support/serving.js";
import { until } from "../support/until.js";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const LOGIN = hex("78780D01 0123456789012345 0001 8CDD 0D0A");
const LOGGED_IN = hex("78780501 0001 D9DC 0D0A");
const POSITION = hex("78781F12 0B081D112E10 CF 027AC7EB 0C465849 00 148F 01CC00287D001FB8 0003 8081 0D0A");

function journalFile(): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-tracker-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, "positions.jsonl");
}
const rowsOf = (file: string) =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

test("a device logs in and sends positions, byte by byte; they are in the journal", async () => {
  const journal = journalFile();
  const server = await serving(tracker, { options: { journal } });
  const device = await connected(server);
  for (const byte of LOGIN) device.write(Buffer.of(byte));
  await until(() => device.bytes.equals(LOGGED_IN));
  device.write(Buffer.concat([POSITION, POSITION, hex("78780513 0004"), hex("3F39 0D0A")]));
  await until(() => device.closed || rowsOf(journal).length === 2);
  expect(rowsOf(journal)[1]).toMatchObject({
    imei: "123456789012345",
    at: "2011-08-29T17:46:16.000Z",
    latitude: expect.closeTo(23.1117, 3),
    longitude: expect.closeTo(114.4093, 3),
    kmh: 0,
    course: 143,
  });
});

test("without a log-in, with a wrong one, with a wrong CRC or in silence a connection ends for that reason", async () => {
  const clock = manualClock();
  const server = await serving(tracker, { options: { journal: journalFile() } });
  const bad = Buffer.from(LOGIN);
  bad[5]! ^= 1;
  await (await connected(server)).write(bad).end();
  await (await connected(server)).write(POSITION).end();
  const mute = await connected(server);
  const silent = await connected(server);
  silent.write(LOGIN);
  await until(() => silent.bytes.equals(LOGGED_IN) && server.counters.accepted === 4);
  await clock.advance(10_000);
  await mute.end();
  await clock.advance(601_000);
  await silent.end();
  await closedAs(server);
  expect(server.counters.own).toEqual({ bad_packet: 1, bad_login: 1, no_login: 1, silent: 1 });
  // Here and not by the scene, whose clock would run ahead of the disk.
  await server.stop();
});

test("rows that come while one is written are written together, and all are there at the close", async () => {
  const file = journalFile();
  const journal = await Journal.open(file);
  await Promise.all(Array.from({ length: 1000 }, (_, n) => journal.write({ n })));
  void journal.write({ n: 1000 });
  await journal.close();
  expect(rowsOf(file)).toEqual(Array.from({ length: 1001 }, (_, n) => ({ n })));
});

const samples: Packet[] = ["", "00ff0d0a", "78".repeat(250)].map((content, serial) => ({
  type: 0x12,
  content: hex(content),
  serial,
}));
const wrong = [hex("7979"), hex("787804"), hex("78780D01 0123456789012345 0001 8CDC 0D0A")];
test.each(framingChecks({ framing, samples, invalid: wrong }))("framing: $name", ({ run }) => run());
