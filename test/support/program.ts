/** The built program as an OS process: started on free ports, observed through its log, killed with the test. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { childrenOf } from "./os-processes.js";
import { freePort } from "./ports.js";

export const ROOT = resolve(import.meta.dirname, "../..");
export const MAIN = join(ROOT, "dist", "main.js");

/** A line of the log. */
export type LogLine = Readonly<Record<string, any>>;

/** Running programs of this test file, for `endAll`. */
const running = new Set<Program>();

export interface ProgramOptions {
  readonly env?: Record<string, string>;
  /** Default: a temporary folder, removed when the program ends. */
  readonly cwd?: string;
  /** Files to write into that folder before the start: text by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** Folder to create in it. */
  readonly mkdir?: string;
  readonly detached?: boolean;
  /** User and group that it runs as. */
  readonly uid?: number;
  readonly gid?: number;
  readonly main?: string;
  /** Path of the Node that runs it. */
  readonly node?: string;
}

export class Program {
  readonly child: ChildProcess;
  readonly dir = mkdtempSync(join(tmpdir(), "drover-test-"));
  readonly lines: LogLine[] = [];
  stdout = "";
  stderr = "";
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  #waiting: (() => void)[] = [];

  constructor(args: readonly string[], options: ProgramOptions = {}) {
    const cwd = options.cwd ?? this.dir;
    if (options.mkdir !== undefined) mkdirSync(join(cwd, options.mkdir));
    for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(cwd, name), text);
    // NODE and TRANSPORT run these tests on another Node major or transport.
    this.child = spawn(
      options.node ?? process.env.NODE ?? process.execPath,
      [options.main ?? MAIN, ...args],
      {
        cwd,
        env: {
          PATH: process.env.PATH,
          HOME: this.dir,
          XDG_RUNTIME_DIR: this.dir,
          ...transport(),
          ...options.env,
        },
        stdio: ["ignore", "pipe", "pipe"],
        detached: options.detached ?? false,
        ...(options.uid !== undefined && { uid: options.uid }),
        ...(options.gid !== undefined && { gid: options.gid }),
      },
    );
    running.add(this);
    let rest = "";
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
      const lines = (rest + text).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) if (line.startsWith('{"level"')) this.lines.push(JSON.parse(line));
      this.#wake();
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      this.#wake();
    });
    this.exited = new Promise((resolve) => {
      this.child.once("close", (code, signal) => {
        running.delete(this);
        rmSync(this.dir, { recursive: true, force: true });
        resolve({ code, signal });
        this.#wake();
      });
    });
  }

  get osPid(): number {
    return this.child.pid as number;
  }

  /** Whether it has ended. */
  get over(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) one();
  }

  /** Waits until the condition is true; checked at each output of the program. */
  async until<T>(what: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = what();
      if (found !== undefined && found !== false) return found as T;
      if (this.over)
        throw new Error(
          `the program has ended (${this.child.exitCode}):\n${this.stderr}\n${this.stdout.slice(-4000)}`,
        );
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  line(fits: (line: LogLine) => boolean, after = 0): Promise<LogLine> {
    return this.until(() => this.lines.slice(after).find(fits));
  }

  /** OS pids of the workers, from /proc. */
  workers(): number[] {
    return childrenOf(this.osPid);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

function transport(): Record<string, string> {
  return process.env.TRANSPORT ? { DROVER_TRANSPORT: process.env.TRANSPORT } : {};
}

/** A started server and its addresses. */
export interface Served extends Disposable {
  readonly program: Program;
  readonly port: number;
  readonly adminPort: number;
  readonly control: string;
}

/** The start before the next one. On a busy machine seven at once take longer than the 20 s that a worker may. */
let starting: Promise<unknown> = Promise.resolve();

/** Starts `drover start` on free ports and waits until it serves; tests that run at the same time start one after the other. */
export function serveProgram(
  args: readonly string[] = [],
  options: ProgramOptions = {},
): Promise<Served & { stop(): Promise<void> }> {
  const started = starting.then(() => startProgram(args, options));
  starting = started.then(
    () => {},
    () => {},
  );
  return started;
}

async function startProgram(
  args: readonly string[],
  options: ProgramOptions,
): Promise<Served & { stop(): Promise<void> }> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const program = new Program(
    [
      "start",
      ...(args.some((one) => one.startsWith("--host")) ? [] : ["--host=127.0.0.1"]),
      `--port=${port}`,
      `--admin-port=${adminPort}`,
      ...(args.some((one) => one.startsWith("--workers")) ? [] : ["--workers=2"]),
      "--log-format=json",
      ...args,
    ],
    options,
  );
  await program.line((line) => / serves /.test(line.msg ?? ""));
  const control = join(program.dir, `drover-${process.getuid?.()}`, "drover.sock");
  const end = async () => {
    if (program.over) return;
    program.signal("SIGKILL");
    await program.exited;
  };
  return {
    program,
    port,
    adminPort,
    control: existsSync(control) ? control : findSocket(program.dir),
    stop: end,
    [Symbol.dispose]: () => void end(),
  };
}

/** Starts a server with the protocol of a test, written into its folder under this file name. */
export function serveProtocol(
  name: string,
  code: string,
  args: readonly string[] = [],
  options: ProgramOptions = {},
): ReturnType<typeof serveProgram> {
  return serveProgram([`./${name}`, ...args], { ...options, files: { [name]: code } });
}

function findSocket(dir: string): string {
  const found = readdirSync(dir, { recursive: true, encoding: "utf8" }).find((name) =>
    name.endsWith(".sock"),
  );
  return join(dir, found ?? "drover.sock");
}

/** Kills all programs and their workers; for `afterEach`. */
export function endAll(): Promise<void> {
  return endAllBut(new Set());
}

/** As `endAll`, for the tests of a file of which some share a program. */
export async function endAllBut(kept: ReadonlySet<Program>): Promise<void> {
  await Promise.all(
    [...running]
      .filter((program) => !kept.has(program))
      .map(async (program) => {
        for (const worker of program.over ? [] : program.workers()) killQuietly(worker);
        program.signal("SIGKILL");
        await program.exited;
      }),
  );
}

function killQuietly(osPid: number): void {
  try {
    process.kill(osPid, "SIGKILL");
  } catch {}
}

/** Runs a command of the program and waits for its exit. */
export async function run(
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const program = new Program(args, options);
  const { code } = await program.exited;
  return { code, stdout: program.stdout, stderr: program.stderr };
}
