/** The built program under Type=notify: a datagram socket receives what systemd would, from the real systemd-notify. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect } from "vitest";
import { find, testWith } from "../../support/peers.js";
import { endAll, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const notified = find("python3")
  ? testWith("systemd-notify", "apt-get install systemd")
  : testWith("python3", "apt-get install python3");

/** Prints each datagram as a line of JSON. A descriptor that comes with BARRIER=1 is closed by not being received. */
const RECEIVER = `
import json, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print(json.dumps("bound"), flush=True)
while True:
    print(json.dumps(receiver.recv(4096).decode()), flush=True)
`;

const ends: (() => void)[] = [];
afterEach(async () => {
  await endAll();
  for (const end of ends.splice(0)) end();
});

async function receiver() {
  const dir = mkdtempSync(join(tmpdir(), "drover-notify-"));
  const path = join(dir, "notify.sock");
  const child = spawn(find("python3") as string, ["-c", RECEIVER, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  ends.push(() => {
    child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const received = (): string[] =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as string)
      .filter((one) => one !== "bound" && one !== "BARRIER=1");
  await eventually(() => text !== "");
  const message = (begin: string) => eventually(() => received().find((one) => one.startsWith(begin)));
  return { path, received, message };
}

notified("READY=1 when every worker accepts, WATCHDOG=1 while it runs, STOPPING=1 at SIGTERM", async () => {
  const { path, received, message } = await receiver();
  const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "1000000" };
  const { program } = await serveProgram([], { env });
  expect(await message("READY=1")).toBe("READY=1\nSTATUS=running: 2 of 2 workers, 0 connections");
  const before = received().length;
  await eventually(() => received().length > before);
  expect(received().at(-1)).toMatch(/^WATCHDOG=1\nSTATUS=running: /);
  program.signal("SIGTERM");
  expect(await message("STOPPING=1")).toMatch(/^STOPPING=1\nSTATUS=stopping: /);
  expect(await program.exited).toMatchObject({ code: 0 });
  // Nothing is ready before the log says so.
  const starting = received().slice(
    0,
    received().findIndex((one) => one.startsWith("READY=1")),
  );
  expect(starting.every((one) => one.startsWith("WATCHDOG=1\nSTATUS=starting"))).toBe(true);
  expect(program.lines.filter(({ msg }) => /cannot notify/.test(msg ?? ""))).toEqual([]);
});

notified("without systemd-notify the log says what is missing, and the server serves", async () => {
  const { path } = await receiver();
  const node = process.execPath;
  const { program } = await serveProgram(["--workers=1"], {
    env: { NOTIFY_SOCKET: path, PATH: "/nowhere" },
    node,
  });
  const line = await program.line(({ msg }) => /^cannot notify systemd/.test(msg ?? ""));
  expect(line.msg).toContain("it is not installed, or not in PATH");
});
