/** A start for which something is missing: one line, an exit code, and no hang. */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../support/ports.js";
import { endAll, MAIN, ROOT, run, serveProgram } from "../../support/program.js";

afterAll(endAll);

async function addresses(): Promise<string[]> {
  return [
    "--host=127.0.0.1",
    `--port=${await freePort()}`,
    `--admin-port=${await freePort()}`,
    "--workers=1",
  ];
}

/** Starts it, and expects one line on standard error and nothing of node's own. */
async function refused(
  args: readonly string[],
  options?: Parameters<typeof run>[1],
): Promise<{ code: number | null; line: string }> {
  const from = performance.now();
  const { code, stderr } = await run(["start", ...(await addresses()), ...args], options);
  // Of which its own deadlines are ten; the rest is for a slow machine.
  expect(performance.now() - from).toBeLessThan(60_000);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  return { code, line: stderr.trim() };
}

/** No thread that waits in the kernel can be ended from outside. */
const READS_A_FIFO = `
  import { execFileSync } from "node:child_process";
  import { readFileSync, writeSync } from "node:fs";
  execFileSync("mkfifo", ["pipe"]);
  writeSync(1, "waits");
  readFileSync("pipe");
`;

describe.concurrent("a configuration module that is never loaded", () => {
  test.each([
    ["awaits for ever", "await new Promise(() => {});\nexport default {};"],
    ["waits long", "await new Promise((resolve) => setTimeout(resolve, 1e9));\nexport default {};"],
    ["loops", "for (;;);\nexport default {};"],
    ["exports a promise that is never settled", "export default new Promise(() => {});"],
    ["waits in a synchronous call", `${READS_A_FIFO}export default {};`],
  ])("%s is refused with 78", async (_, code) => {
    const { code: status, line } = await refused(["--config=acme.js"], { files: { "acme.js": code } });
    expect(line).toMatch(
      /^drover: acme\.js: is not loaded after 10 s: does it await something .*, or loop\?$/,
    );
    expect(status).toBe(78);
  });
});

/** One after the other: on a busy machine many starts at once, one of which loops, take longer than the 10 s of each. */
describe("a configuration module", () => {
  test.each([
    ["a getter that throws", "{ get port() { throw 1; } }", /^drover: acme\.js: throws 1$/],
    [
      "a Proxy that throws",
      'new Proxy({}, { ownKeys() { throw new Error("no"); } })',
      /acme\.js:\d+:\d+: Error: no$/,
    ],
  ])("that exports %s is refused with 78", async (_, value, expected) => {
    const files = { "acme.js": `export default ${value};` };
    const { code, line } = await refused(["--config=acme.js"], { files });
    expect(line).toMatch(expected);
    expect(code).toBe(78);
  });

  test("that ends the program is refused with 78", async () => {
    const files = { "acme.js": "process.exit(0);\nexport default {};" };
    const { code, line } = await refused(["--config=acme.js"], { files });
    expect(line).toBe("drover: acme.js: ends the program while it is loaded");
    expect(code).toBe(78);
  });

  test("sets environment variables for the workers, and may export what cannot be copied to be told so", async () => {
    const set = "process.env.FROM_CONFIG = 'seen';\nexport default { logLevel: 'warn' };";
    const protocol = `
      import { defineProtocol, packet } from "drover";
      console.warn("env", process.env.FROM_CONFIG);
      export default defineProtocol({ name: "p", framing: packet(2), states: { ready: { frame: () => {} } } });`;
    const files = { "acme.js": set, "p.ts": protocol };
    const started = run(
      ["start", "./p.ts", ...(await addresses()), "--config=acme.js", "--log-level=info", "--help"],
      {
        files,
      },
    );
    expect((await started).code).toBe(0);
    const { program } = await serveProgram(
      ["./p.ts", "--workers=1", "--config=acme.js", "--log-level=info"],
      { files },
    );
    await program.line((line) => /env seen/.test(line.msg ?? ""));
    const bad = { "acme.js": "export default { port: () => 1 };" };
    expect((await refused(["--config=acme.js"], { files: bad })).line).toMatch(/^drover: .*acme\.js.*port/);
  });
});

/** Alone: its module must be running before the deadline of 10 s. */
test("a configuration module that waits in a synchronous call does not hold up SIGTERM", async () => {
  const dir = mkdtempSync(join(tmpdir(), "drover-waits-"));
  writeFileSync(join(dir, "acme.js"), `${READS_A_FIFO}export default {};`);
  const child = spawn(process.execPath, [MAIN, "start", "--config=acme.js"], {
    cwd: dir,
    env: { PATH: process.env.PATH, HOME: dir, XDG_RUNTIME_DIR: dir },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  onTestFinished(async () => {
    if (child.exitCode === null && child.kill("SIGKILL")) await exited;
    rmSync(dir, { recursive: true, force: true });
  });
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
});

/** A copy of the installation, of which parts can be taken away. */
function installation(): { main: string; dist: string } {
  const dir = mkdtempSync(join(tmpdir(), "drover-installed-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const dist = join(dir, "dist");
  mkdirSync(dist);
  for (const name of readdirSync(join(ROOT, "dist")))
    if (!name.endsWith(".map")) cpSync(join(ROOT, "dist", name), join(dist, name), { recursive: true });
  cpSync(join(ROOT, "package.json"), join(dir, "package.json"));
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  return { main: join(dist, "main.js"), dist };
}

test("an installation with a missing file ends with 69 and says to install it again", async () => {
  const { main, dist } = installation();
  for (const name of readdirSync(dist)) if (name.startsWith("chunk-")) rmSync(join(dist, name));
  const { code, line } = await refused([], { main });
  expect(line).toMatch(/^drover: a file of the program is missing: install drover again \(.*chunk-.*\)$/);
  expect(code).toBe(69);
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;
const under = (before: readonly string[], args: readonly string[], env: Record<string, string>) => {
  const [program, ...rest] = [...before, process.execPath, MAIN, "start", ...args] as [string, ...string[]];
  const { status, stderr } = spawnSync(program, rest, {
    encoding: "utf8",
    timeout: 60_000,
    env: { PATH: process.env.PATH, ...env },
  });
  expect(stderr.trim().split("\n")).toHaveLength(1);
  return { code: status, line: stderr.trim() };
};

/** Empty, for any user. */
function openFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-want-"));
  chmodSync(dir, 0o777);
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

asRoot("an installation that this user cannot read ends with 69", async () => {
  const { dist } = installation();
  for (const name of readdirSync(dist)) if (name.startsWith("chunk-")) chmodSync(join(dist, name), 0o600);
  const dir = openFolder();
  chmodSync(join(dist, ".."), 0o755);
  const { status, stderr } = spawnSync(
    NOBODY[0] as string,
    [...NOBODY.slice(1), process.execPath, join(dist, "main.js"), "start", ...(await addresses())],
    { encoding: "utf8", timeout: 60_000, env: { PATH: process.env.PATH, HOME: dir, XDG_RUNTIME_DIR: dir } },
  );
  expect(stderr).toMatch(/^drover: a file of the program cannot be read: .*\n$/);
  expect(status).toBe(69);
});

test.each([20, 30, 40, 60])(
  "with %i descriptors it ends with 69 and says to raise the limit",
  async (limit) => {
    const dir = openFolder();
    const env = { HOME: dir, XDG_RUNTIME_DIR: dir };
    const { code, line } = under(["prlimit", `--nofile=${limit}:${limit}`], await addresses(), env);
    expect(line).toMatch(/^drover: .*raise the limit \(ulimit -n\)/);
    expect(code).toBe(69);
  },
);

asRoot(
  "with too few OS processes and threads for its workers it ends with 69, before one aborts",
  async () => {
    const dir = openFolder();
    const env = { HOME: dir, XDG_RUNTIME_DIR: dir };
    const { code, line } = under([...NOBODY, "prlimit", "--nproc=24:24"], await addresses(), env);
    expect(line).toMatch(
      /^drover: \d+ of 24 OS processes and threads of this user are in use, and 1 workers? need/,
    );
    expect(code).toBe(69);
  },
);

asRoot("without /proc it ends with 69", async () => {
  const dir = openFolder();
  const env = { HOME: dir, XDG_RUNTIME_DIR: dir };
  const { code, line } = under(
    ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"],
    await addresses(),
    env,
  );
  expect(line).toMatch(/^drover: \/proc is not mounted/);
  expect(code).toBe(69);
});

test("a TMPDIR that does not exist is not needed", async () => {
  const { program } = await serveProgram(["chat", "--workers=2"], { env: { TMPDIR: "/nonexistent" } });
  expect(program.workers().length).toBeGreaterThanOrEqual(2);
});
