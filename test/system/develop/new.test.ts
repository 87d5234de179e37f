/** `drover new` and `drover check`: the first commands of a new user. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { http } from "../../support/admin-http.js";
import { Client } from "../../support/client.js";
import { FrameClient } from "../../support/frames.js";
import { isAlive } from "../../support/os-processes.js";
import { freePort } from "../../support/ports.js";
import { endAll, MAIN, ROOT, run, serveProgram } from "../../support/program.js";
import { eventually, until } from "../../support/until.js";

afterAll(endAll);

const exec = promisify(execFile);
const folder = () => mkdtempSync(join(tmpdir(), "drover-new-"));

/** As `npm install` would, without the registry. */
function install(dir: string): void {
  const modules = join(dir, "node_modules");
  mkdirSync(join(modules, "@types"), { recursive: true });
  symlinkSync(ROOT, join(modules, "drover"));
  for (const name of ["vitest", "typescript", "@types/node"])
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  mkdirSync(join(modules, ".bin"));
  symlinkSync(MAIN, join(modules, ".bin", "drover"));
}

function npmStart(dir: string, port: number, adminPort: number): ChildProcess {
  return spawn("npm", ["start"], {
    cwd: dir,
    env: {
      PATH: process.env.PATH,
      HOME: dir,
      XDG_RUNTIME_DIR: dir,
      DROVER_HOST: "127.0.0.1",
      DROVER_PORT: `${port}`,
      DROVER_ADMIN_PORT: `${adminPort}`,
      DROVER_WORKERS: "1",
    },
    stdio: "ignore",
  });
}

describe("the starter project, in order:", () => {
  const dir = join(folder(), "My Server");
  let npm: ChildProcess | undefined;
  let osPid = 0;
  let [port, adminPort] = [0, 0];

  afterAll(() => {
    npm?.kill("SIGKILL");
    if (osPid && isAlive(osPid)) process.kill(osPid, "SIGKILL");
  });

  test("it type-checks, passes its own test, and is found well by `check`", async () => {
    const { code, stdout } = await run(["new", dir]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^created .*My Server\n[\s\S]*protocol\.ts[\s\S]*next: cd /);
    const launch = JSON.parse(readFileSync(join(dir, ".vscode/launch.json"), "utf8"));
    expect(launch.configurations).toMatchObject([{ request: "attach", port: 9229, restart: true }]);
    install(dir);
    const bin = (name: string) => join(ROOT, "node_modules", ".bin", name);
    [port, adminPort] = [await freePort(), await freePort()];
    const ports = [`--port=${port}`, `--admin-port=${adminPort}`];
    const [checked, tested] = await Promise.all([
      run(["check", "./protocol.ts", ...ports], { cwd: dir }),
      exec(bin("vitest"), ["run"], { cwd: dir }),
      exec(bin("tsc"), [], { cwd: dir }),
    ]);
    expect(tested.stdout).toMatch(/2 passed/);
    expect([checked.code, checked.stderr]).toEqual([0, ""]);
    expect(checked.stdout).toMatch(/^ok +protocol +greeter, from \.\/protocol\.ts$/m);
  });

  test("`npm start` serves it, and SIGTERM to npm stops the server", async () => {
    npm = npmStart(dir, port, adminPort);
    await eventually(
      async () => (await http(adminPort, "/ready").catch(() => undefined))?.status === 200,
      100_000,
    );
    ({ osPid } = JSON.parse((await http(adminPort, "/info")).body));
    const client = await Client.connect(port);
    client.write("ada\nhello\n");
    await until(() => client.bytes.toString() === "who are you?\nhello, ada\nada: hello\n");
    npm?.kill("SIGTERM");
    await eventually(() => !isAlive(osPid));
    await client.close();
  });

  test("a project made by a clone gets drover from the clone", () => {
    const { dependencies } = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
    expect(dependencies).toEqual({ drover: `file:${ROOT}/` });
  });
});

test("a folder that is not empty is refused and left as it was", async () => {
  const dir = folder();
  writeFileSync(join(dir, "mine.txt"), "");
  const { code, stderr } = await run(["new", dir]);
  expect([code, stderr]).toEqual([64, `${dir} is not empty (mine.txt): choose a new or empty folder\n`]);
  expect(readdirSync(dir)).toEqual(["mine.txt"]);
  const file = await run(["new", join(dir, "mine.txt")]);
  expect([file.code, file.stderr]).toEqual([
    64,
    `${join(dir, "mine.txt")}: is a file: choose a new or empty folder\n`,
  ]);
});

test("`check` ends with the code of `start` and prints how to fix each problem", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void taken.close());
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as { port: number };
  const free = `--admin-port=${await freePort()}`;
  const busy = await run(["check", "--host=127.0.0.1", `--port=${port}`, free]);
  expect(busy.code).toBe(69);
  expect(busy.stdout).toContain(`wrong  port            127.0.0.1:${port} is taken by another program`);
  expect(busy.stdout).toContain(`fix: ss -ltnp 'sport = :${port}'`);
  const missing = await run(["check", "./nothing.ts", "--port=0", free]);
  expect(missing.code).toBe(66);
  const misspelt = await run(["check", "--port=0", free], { env: { DROVER_PROT: "1" } });
  expect([misspelt.code, misspelt.stdout]).toEqual([
    78,
    expect.stringMatching(/^wrong +configuration +unknown environment variable DROVER_PROT.*DROVER_PORT/),
  ]);
  const backlog = await run(["check", "--port=0", free, "--backlog=65535", "--json"]);
  const { exitCode, findings } = JSON.parse(backlog.stdout);
  expect(exitCode).toBe(0);
  expect(findings.find(({ what }: { what: string }) => what === "backlog")).toMatchObject({
    verdict: "warning",
    mend: "sudo sysctl -w net.core.somaxconn=65535",
  });
});

test("`check` says that an instance is running, and does not disturb it", async () => {
  const { port, adminPort, control } = await serveProgram(["--workers=1"]);
  const ports = [`--port=${port}`, `--admin-port=${adminPort}`, "--host=127.0.0.1"];
  const { code, stdout } = await run(["check", ...ports, "--control", control]);
  expect(code).toBe(69);
  expect(stdout).toMatch(/wrong +control socket +drover "drover" is already running as OS process \d+/);
  const client = await FrameClient.connect(port);
  expect(await client.ask("hello")).toBe("hello");
});
