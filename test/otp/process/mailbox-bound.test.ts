/** What happens when more messages wait than may. */
import { channel } from "node:diagnostics_channel";
import { expect, it } from "vitest";
import { call, cast, genServer, start, startLink } from "../../../src/otp/gen-server/gen-server.js";
import { begin, genStatem, reply } from "../../../src/otp/gen-statem/gen-statem.js";
import { processOf } from "../../../src/otp/process/process.js";
import { exit, send } from "../../../src/otp/process/signals.js";
import * as sys from "../../../src/otp/sys/sys.js";
import { settle } from "../../../src/otp/time/clock.js";
import { reasonOfRejection } from "../gen-statem/support.js";
import { endOf } from "../stage.js";
import { gate, Listener, manualClock } from "../support.js";

manualClock();

const seen: unknown[] = [];
const Bounded = genServer({
  name: "bounded",
  maxMessages: 2,
  trapExit: true,
  init: () => ({}),
  calls: { wait: (_, until: Promise<void>) => until, count: () => seen.length },
  casts: { add: (_, what: string) => void seen.push(what) },
  info: (_, message) => void seen.push(message),
});

it("casts and messages on top are dropped and counted, calls are refused, signals get in", async () => {
  const events: unknown[] = [];
  const listener = (event: unknown) => void events.push(event);
  channel("otp.mailbox").subscribe(listener);
  seen.length = 0;
  const pid = await start(Bounded, undefined);
  const open = gate();
  const waiting = call(pid, "wait", open.promise);
  await settle();
  cast(pid, "add", "one");
  send(pid, "two");
  cast(pid, "add", "three");
  send(pid, "four");
  expect(await reasonOfRejection(call(pid, "count"))).toBe("mailbox_full");
  const other = new Listener();
  exit(pid, "signal", other.pid);
  const state = sys.getState(pid);
  open.open();
  await waiting;
  expect(await state).toEqual({});
  channel("otp.mailbox").unsubscribe(listener);
  expect(seen).toMatchObject(["one", "two", { exit: other.pid, reason: "signal" }]);
  expect(processOf(pid)?.refusedMessages).toBe(3);
  expect(events).toEqual([
    { pid, label: "bounded", maxMessages: 2, refused: 1 },
    { pid, label: "bounded", maxMessages: 2, refused: 2 },
  ]);
  expect(await call(pid, "count")).toBe(3);
  expect((await sys.getStatus(pid)).refusedMessages).toBe(3);
});

it("the bound of one process overrules that of its behaviour", async () => {
  const pid = await start(Bounded, undefined, { maxMessages: 1 });
  await sys.suspend(pid);
  cast(pid, "add", "one");
  cast(pid, "add", "two");
  expect(processOf(pid)?.refusedMessages).toBe(1);
});

it("state machines have one as well, and a full mailbox holds up no end", async () => {
  const Machine = genStatem({
    name: "machine",
    maxMessages: 1,
    trapExit: true,
    init: () => begin("idle", {}),
    states: { idle: { calls: { hello: () => reply("hello") } } },
  });
  const parent = new Listener();
  const pid = await startLink(parent.pid, Machine, undefined);
  const end = endOf(pid);
  const first = call(pid, "hello");
  expect(await reasonOfRejection(call(pid, "hello"))).toBe("mailbox_full");
  expect(await first).toBe("hello");
  send(pid, "fills it");
  parent.quit("shutdown");
  await settle();
  expect(end.reason).toBe("shutdown");
});

it("a bound that is none is refused", async () => {
  const init = () => ({});
  expect(() => genServer({ name: "x", maxMessages: 0, init })).toThrow("whole number from 1 up");
  await expect(start(Bounded, undefined, { maxMessages: 1.5 })).rejects.toThrow("whole number from 1 up");
});
