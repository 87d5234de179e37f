/** Notification of systemd: which messages are sent when, with a script in place of systemd-notify. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readNotifySocket } from "../../src/config/notify-socket.js";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";
import { SystemdNotifier } from "../../src/program/systemd/notifier.js";
import { eventually } from "../support/until.js";

function stage(watchdogMs: number | undefined, script = 'echo "$NOTIFY_SOCKET $*" >> "$0.sent"') {
  const clock = new ManualClock();
  const restore = useClock(clock);
  const dir = mkdtempSync(join(tmpdir(), "drover-notify-"));
  const command = join(dir, "notify");
  writeFileSync(command, `#!/bin/sh\n${script}\n`);
  chmodSync(command, 0o755);
  const failures: string[] = [];
  let connections = 0;
  const notifier = new SystemdNotifier({
    ...{ socket: { path: "/run/n", watchdogMs }, command, path: process.env.PATH },
    status: () => `${connections} connections`,
    onFailure: (message) => void failures.push(message),
  });
  onTestFinished(() => {
    notifier.close();
    restore();
    rmSync(dir, { recursive: true, force: true });
  });
  const sent = (count: number) =>
    eventually(() => {
      const lines = read(`${command}.sent`);
      return lines.length === count && lines;
    });
  return { clock, notifier, failures, sent, connect: () => connections++ };
}

function read(path: string): string[] {
  try {
    return readFileSync(path, "utf8").trimEnd().split("\n");
  } catch {
    return [];
  }
}

test("ready and stopping are told at once, WATCHDOG=1 twice in WatchdogSec=, each with the status", async () => {
  const { clock, notifier, sent } = stage(30_000);
  notifier.ready();
  await sent(1);
  await clock.advance(15_000);
  await sent(2);
  notifier.stopping();
  notifier.stopping();
  expect(await sent(3)).toEqual([
    "/run/n READY=1 STATUS=0 connections",
    "/run/n WATCHDOG=1 STATUS=0 connections",
    "/run/n STOPPING=1 STATUS=0 connections",
  ]);
  // A stop may take longer than WatchdogSec=.
  await clock.advance(15_000);
  expect((await sent(4)).at(-1)).toContain("WATCHDOG=1");
});

test("without a watchdog the status is told when it has changed", async () => {
  const { clock, notifier, sent, connect } = stage(undefined);
  notifier.ready();
  await sent(1);
  await clock.advance(60_000);
  connect();
  await clock.advance(30_000);
  expect((await sent(2)).at(-1)).toBe("/run/n STATUS=1 connections");
});

test("a command that fails is reported once, with what to do", async () => {
  const { notifier, failures } = stage(undefined, "exit 3");
  notifier.ready();
  await eventually(() => failures.length > 0);
  expect(failures).toEqual([
    "cannot notify systemd with systemd-notify: exit code 3; use Type=exec without WatchdogSec= in the unit where it is missing",
  ]);
});

test("the environment says where, and for which OS process the watchdog is", () => {
  const env = { NOTIFY_SOCKET: "@/org/n", WATCHDOG_USEC: "30000000", WATCHDOG_PID: "7" };
  expect(readNotifySocket(env, 7)).toEqual({ path: "@/org/n", watchdogMs: 30_000 });
  expect(readNotifySocket(env, 8)).toEqual({ path: "@/org/n", watchdogMs: undefined });
  expect(readNotifySocket({ NOTIFY_SOCKET: "/run/n", WATCHDOG_USEC: "x" }, 7)?.watchdogMs).toBeUndefined();
  expect(readNotifySocket({ NOTIFY_SOCKET: "vsock:2:9" }, 7)).toBeUndefined();
  expect(readNotifySocket({}, 7)).toBeUndefined();
});
