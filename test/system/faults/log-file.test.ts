/** Faults of the log file: moved away, not writable, folder removed. The program serves on, and no line is lost. */
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { http, metric } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { serveLogging, TALKATIVE } from "../../support/logging.js";
import { isAlive } from "../../support/os-processes.js";
import { endAll, type LogLine, Program, run } from "../../support/program.js";
import { eventually } from "../../support/until.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drover-log-file-"));
});

afterEach(async () => {
  await endAll();
  rmSync(folder, { recursive: true, force: true });
});

/** Lines of a log file that is no longer written; each must be complete. */
function lines(file: string): LogLine[] {
  const text = readFileSync(file, "utf8");
  expect(text === "" || text.endsWith("\n")).toBe(true);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Number of matches in all files of a folder. */
const count = (dir: string, what: RegExp) =>
  readdirSync(dir).reduce((sum, name) => {
    return sum + (readFileSync(join(dir, name), "utf8").match(what)?.length ?? 0);
  }, 0);

async function visits(port: number, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const client = await FrameClient.connect(port);
    expect(await client.ask(`visit ${n}`)).toBe(`visit ${n}`);
    client.end();
    await client.closed;
  }
}

const lost = async (adminPort: number) => (await metric(adminPort, "drover_log_lines_dropped_total")) ?? 0;

test("no line is lost when the file is moved away under load and SIGUSR2 opens it again", async () => {
  const file = join(folder, "server.log");
  const { program, port, adminPort } = await serveLogging(file, "--log-level=debug");
  expect(statSync(file).mode & 0o777).toBe(0o640);
  const [CROWD, EACH, ROTATIONS] = [10, 60, 5];
  let more = 0;
  const load = Promise.all(Array.from({ length: CROWD }, () => visits(port, EACH)));
  for (let n = 1; n <= ROTATIONS; n++) {
    renameSync(file, join(folder, `server.log.${n}`));
    program.signal("SIGUSR2");
    // A worker that has not handled the signal yet writes to the old file.
    await eventually(async () => {
      if (!readdirSync(folder).includes("server.log")) return false;
      await visits(port, 5);
      more += 5;
      return readFileSync(file, "utf8").includes("connection closed");
    });
  }
  await load;
  await eventually(() => count(folder, /connection closed/g) === CROWD * EACH + more);
  expect(await lost(adminPort)).toBe(0);
  // Primary and workers all write to the newest, and nothing goes elsewhere.
  program.signal("SIGTERM");
  expect(await program.exited).toEqual({ code: 0, signal: null });
  for (const name of readdirSync(folder)) expect(lines(join(folder, name)).length).toBeGreaterThan(0);
  expect(lines(file).some(({ worker }) => worker === 0)).toBe(true);
  expect([program.stdout, program.stderr]).toEqual(["", ""]);
});

test("a full disk under the file costs log lines, which are counted, and nothing else", async () => {
  const protocol = join(folder, "talkative.js");
  writeFileSync(protocol, TALKATIVE);
  const { program, port, adminPort } = await serveLogging("/dev/full", protocol, "--log-level=trace");
  // Each worker buffers 1 MiB; further lines are dropped.
  await eventually(async () => {
    await visits(port, 10);
    return (await lost(adminPort)) > 0;
  });
  expect((await http(adminPort, "/ready")).status).toBe(200);
  program.signal("SIGTERM");
  expect((await program.exited).code).toBe(0);
});

test("a folder that is gone costs neither a line of running workers, nor the worker that is started then", async () => {
  const logs = join(folder, "logs");
  mkdirSync(logs);
  const { program, port, adminPort } = await serveLogging(join(logs, "server.log"));
  renameSync(logs, join(folder, "moved"));
  program.signal("SIGUSR2");
  await eventually(
    () => count(join(folder, "moved"), /cannot reopen the log file: still writing to the old one/g) === 3,
  );
  // A worker that starts now cannot open its log.
  const [first = 0] = program.workers();
  process.kill(first, "SIGKILL");
  await program.line(({ msg }) =>
    /cannot open the log file: logging to standard output until SIGUSR2/.test(msg),
  );
  await eventually(async () => !isAlive(first) && (await http(adminPort, "/ready")).status === 200);
  await visits(port, 5);
  mkdirSync(logs);
  program.signal("SIGUSR2");
  await eventually(() => readdirSync(logs).includes("server.log"));
  program.signal("SIGTERM");
  expect((await program.exited).code).toBe(0);
  expect(lines(join(logs, "server.log")).some(({ msg }) => String(msg).startsWith("stopping"))).toBe(true);
});

test("--log-file /dev/stdout or /dev/stderr where that is a socket, as under systemd, is the socket", async () => {
  const socket = async (name: "stdout" | "stderr", other: "stdout" | "stderr") => {
    // The pipes that Node makes for a child are sockets.
    const file = `/dev/${name}`;
    const program = new Program([
      ...["start", "--host=127.0.0.1", "--port=0", "--admin-port=0", "--workers=1", `--log-file=${file}`],
    ]);
    await program.until(() => program[name].includes(" serves "));
    program.signal("SIGUSR2");
    program.signal("SIGTERM");
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(program[name]).toContain("stopping (SIGTERM)");
    expect(program[other]).toBe("");
    const checked = await run(["check", "--port=0", "--admin-port=0", `--log-file=${file}`]);
    expect(checked.stdout).not.toContain("wrong");
  };
  await Promise.all([socket("stdout", "stderr"), socket("stderr", "stdout")]);
});

test.each([
  [
    "in no folder",
    () => join(folder, "no", "server.log"),
    () => `no such directory ${join(folder, "no")}: create it, or choose another --log-file`,
  ],
  ["that is a folder", () => folder, () => "it is a directory: give the path of a file"],
])("a file %s is refused at the start and by check, in one line and with 78", async (_, file, why) => {
  const reason = `cannot write log file ${file()}: ${why()}`;
  const [started, checked] = await Promise.all(
    ["start", "check"].map((command) => run([command, "--port=0", "--admin-port=0", `--log-file=${file()}`])),
  );
  expect(started).toEqual({ code: 78, stdout: "", stderr: `drover: ${reason}\n` });
  expect(checked?.code).toBe(78);
  expect(checked?.stdout).toContain(`wrong  log file        ${reason}\n`);
});

test("a log file that is a socket is refused with that reason", async () => {
  const file = join(folder, "journal");
  const journal = createServer().listen(file);
  await once(journal, "listening");
  const { code, stderr } = await run(["start", "--port=0", "--admin-port=0", `--log-file=${file}`]);
  journal.close();
  expect(code).toBe(78);
  expect(stderr).toMatch(/journal: it is a socket: give the path of a file, or leave --log-file out/);
});

test("check tries the file, and makes none", async () => {
  const file = join(folder, "server.log");
  const { code, stdout } = await run(["check", "--port=0", "--admin-port=0", `--log-file=${file}`]);
  expect(stdout).toContain(`ok  log file        ${file}\n`);
  expect([code, readdirSync(folder)]).toEqual([0, []]);
});
