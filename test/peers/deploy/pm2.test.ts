/** A real pm2 runs the program from ecosystem.config.cjs: online when ready, drained by stop, restarted after it gave up. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect } from "vitest";
import { http, series } from "../../support/admin-http.js";
import { Client } from "../../support/client.js";
import { FrameClient } from "../../support/frames.js";
import { childrenOf, isAlive } from "../../support/os-processes.js";
import { find, testWith } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { MAIN, ROOT } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const pm2 = testWith("pm2", "npm install --global pm2, or name it in the variable PM2");

/** A pm2 daemon of this test's own. */
const home = mkdtempSync(join(tmpdir(), "drover-pm2-"));
let env: NodeJS.ProcessEnv;
let port: number;
let adminPort: number;

async function tell(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(find("pm2") as string, args, { cwd: ROOT, env });
  return stdout;
}

async function app(): Promise<{ pid: number; status: string; restarts: number }> {
  const list = JSON.parse((await tell("jlist")).replace(/^[^[]*/, "")) as any[];
  const { pid, pm2_env } = list.find((one) => one.name === "drover");
  return { pid, status: pm2_env.status, restarts: pm2_env.restart_time };
}

beforeAll(async () => {
  port = await freePort();
  adminPort = await freePort();
  env = {
    PATH: process.env.PATH,
    HOME: home,
    PM2_HOME: home,
    XDG_RUNTIME_DIR: home,
    DROVER_HOST: "127.0.0.1",
    DROVER_PORT: String(port),
    DROVER_ADMIN_PORT: String(adminPort),
    DROVER_WORKERS: "2",
    // A slow machine needs more than the usual minute for the restarts after which it gives up.
    DROVER_MAX_SECONDS: "600",
  };
});

afterAll(async () => {
  if (find("pm2")) await tell("kill").catch(() => {});
  rmSync(home, { recursive: true, force: true });
});

pm2("pm2 start becomes online only when every worker accepts", async () => {
  await tell("start", "ecosystem.config.cjs");
  expect((await app()).status).toBe("online");
  const client = await FrameClient.connect(port);
  expect(await client.ask("hello")).toBe("hello");
  client.end();
});

pm2("pm2 restarts it after it gave up", async () => {
  const { pid: primary, restarts } = await app();
  const dead: number[] = [];
  while (isAlive(primary)) {
    // Not while one still starts: that would count as a start that failed.
    const workers = await eventually(async () => {
      const { body } = await http(adminPort, "/metrics").catch(() => ({ body: "" }));
      const now = childrenOf(primary).filter((osPid) => !dead.includes(osPid));
      return !isAlive(primary) ? [] : series(body, "drover_worker_up") === 2 && now.length === 2 && now;
    });
    const [victim] = workers;
    if (victim === undefined) break;
    dead.push(victim);
    process.kill(victim, "SIGKILL");
    await eventually(() => !isAlive(victim));
  }
  const again = await eventually(async () => {
    const now = await app();
    return now.status === "online" && now.pid !== primary && now;
  }, 60_000);
  expect(again.restarts).toBe(restarts + 1);
  const client = await FrameClient.connect(port);
  expect(await client.ask("hello again")).toBe("hello again");
  client.end();
});

pm2("pm2 stop drains: the client is closed in order, and no OS process is left", async () => {
  const { pid: primary } = await app();
  const workers = childrenOf(primary);
  const client = await FrameClient.connect(port);
  await client.ask("hello");
  await tell("stop", "drover");
  expect(await client.closed).toBe("end");
  expect((await app()).status).toBe("stopped");
  await eventually(() => [primary, ...workers].every((osPid) => !isAlive(osPid)));
});

pm2("the project of `drover new --pm2` serves its own protocol", async () => {
  const dir = join(home, "my-chat");
  await promisify(execFile)(process.execPath, [MAIN, "new", dir, "--pm2"]);
  mkdirSync(join(dir, "node_modules"));
  symlinkSync(ROOT, join(dir, "node_modules", "drover"));
  await promisify(execFile)(find("pm2") as string, ["start", "ecosystem.config.cjs"], { cwd: dir, env });
  const list = JSON.parse((await tell("jlist")).replace(/^[^[]*/, "")) as any[];
  const { pm2_env: state } = list.find((one) => one.name === "my-chat");
  expect([state.status, state.exec_mode]).toEqual(["online", "fork_mode"]);
  const client = await Client.connect(port);
  client.write("ada\n");
  await eventually(() => client.bytes.toString() === "who are you?\nhello, ada\n");
  await client.close();
  await tell("delete", "my-chat");
});
