import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { removeHalfLine } from "../../src/telemetry/log/half-line.js";
import { eventually } from "../support/until.js";

/** Limit for one turn of the event loop, in milliseconds: one that blocks on a reader would last until that ends. */
const STALL = 10_000;

let folder: string;
let program: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "drover-sink-"));
  program = join(folder, "program.cjs");
  const entry = join(import.meta.dirname, "program.ts");
  await build({
    entryPoints: [entry],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "cjs",
    logLevel: "error",
  });
});

afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly seen: {
    readonly dropped: number;
    readonly atEnd: number;
    readonly longest: number;
    readonly memory: number;
    readonly lines: number;
  };
}

/** Resolves when the OS process has exited, and no other writes to its pipes. */
function ended(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, seen: JSON.parse(stderr || "{}") }));
  });
}

/** A reader that never reads, until it is killed. */
const ASLEEP = '> >(echo $BASHPID > "$READ"; exec sleep 60 >/dev/null 2>&1)';
/** A reader that is late, and then quick; it copies what it reads. */
const LATE = '> >(sleep 0.2; exec tee "$READ")';

/** Runs the program with the standard output that a shell sets up; the reader may write to the file `$READ`. */
async function inShell(task: string, redirection: string): Promise<Ended> {
  const file = join(folder, "read");
  rmSync(file, { force: true });
  const end = await ended(
    spawn("bash", ["-c", `exec "$0" "$1" "$2" ${redirection}`, process.execPath, program, task], {
      env: { ...process.env, READ: file },
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
  if (redirection === ASLEEP) process.kill(Number(await eventually(() => textOf(file).trim() || undefined)));
  return end;
}

const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8") : "");

describe("the last report before an exit", () => {
  const report = /"errorContext":"shutdown","reason":"reached_max_restart_intensity".*\n$/;

  it("reaches the reader of a pipe", async () => {
    const { code, stdout } = await inShell("give up", "> >(cat)");
    expect(code).toBe(70);
    expect(stdout).toMatch(report);
  });

  it("reaches the parent over a socket, as under pm2 and systemd", async () => {
    const { code, stdout } = await inShell("give up", "");
    expect(code).toBe(70);
    expect(stdout).toMatch(report);
  });

  it("reaches a file", async () => {
    const file = join(folder, "last");
    expect((await inShell("give up", `> ${file}`)).code).toBe(70);
    expect(readFileSync(file, "utf8")).toMatch(report);
  });

  it("does not delay the exit when it cannot be written", async () => {
    for (const output of ["> /dev/full", "> >(true)", ASLEEP]) {
      expect((await inShell("give up", output)).code).toBe(70);
    }
  });
});

describe("a log that cannot be written", () => {
  it("because the disk is full costs its lines and nothing else", async () => {
    const { code, seen } = await inShell("chatter", "> /dev/full");
    expect(code).toBe(0);
    expect(seen.atEnd).toBe(seen.lines);
  });

  it("because the reader has exited costs its lines and nothing else", async () => {
    const { code, seen } = await inShell("chatter", "> >(exec head -c 1 > /dev/null)");
    expect(code).toBe(0);
    expect(seen.dropped).toBeGreaterThan(0);
  });

  it("because the starter has closed its socket costs its lines and nothing else", async () => {
    const child = spawn(process.execPath, [program, "chatter"], { stdio: ["ignore", "pipe", "pipe"] });
    const end = ended(child);
    child.stdout?.destroy();
    const { code, seen } = await end;
    expect(code).toBe(0);
    expect(seen.dropped).toBeGreaterThan(0);
  });

  it("because the reader sleeps stalls no turn, fills no memory and delays no exit", async () => {
    const { code, seen } = await inShell("flood", ASLEEP);
    expect(code).toBe(0);
    // 50000 lines of 300 bytes; one MiB of them may wait.
    expect(seen.dropped).toBeGreaterThan(40_000);
    expect(seen.longest).toBeLessThan(STALL);
    expect(seen.memory).toBeLessThan(200e6);
  });

  it("because the starter does not read its socket stalls no turn either", async () => {
    const child = spawn(process.execPath, [program, "flood"], { stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    const over = new Promise((resolve) => child.on("exit", resolve));
    await new Promise((resolve) => child.stderr?.on("end", resolve));
    expect(await over).toBe(0);
    const seen = JSON.parse(stderr);
    expect(seen.dropped).toBeGreaterThan(30_000);
    expect(seen.longest).toBeLessThan(STALL);
  });

  it("loses no line to a reader that is only slow", async () => {
    const { code, stdout, seen } = await inShell("patient", LATE);
    expect(code).toBe(0);
    expect(seen.atEnd).toBe(0);
    expect(
      stdout.split("\n").filter((line) => JSON.parse(line || '{"level":0}').level === "debug"),
    ).toHaveLength(seen.lines);
  });

  it("is made up for when there is a reader again: every line was either read or counted as lost", async () => {
    const { code, stdout, seen } = await inShell("burst", LATE);
    expect(code).toBe(0);
    const read = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const reports = read.filter(({ lost }) => lost !== undefined);
    expect(reports.length).toBeGreaterThan(0);
    expect(reports[0]).toMatchObject({
      level: "warn",
      msg: expect.stringMatching(/^dropped \d+ log lines: /),
    });
    expect(read.length - reports.length + seen.atEnd).toBe(seen.lines);
  });
});

describe("a line that a full disk has cut off", () => {
  const folder = mkdtempSync(join(tmpdir(), "drover-half-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("is removed, unless another OS process has written behind it", () => {
    const file = join(folder, "log");
    writeFileSync(file, "whole\nhal");
    const fd = openSync(file, "a");
    expect(removeHalfLine(fd, Buffer.from("hal"))).toBe(true);
    expect(readFileSync(file, "utf8")).toBe("whole\n");
    writeFileSync(file, "whole\nhalother\n");
    expect(removeHalfLine(fd, Buffer.from("hal"))).toBe(false);
    expect(readFileSync(file, "utf8")).toBe("whole\nhalother\n");
    closeSync(fd);
  });
});
