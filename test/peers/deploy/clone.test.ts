/** A new user: a fresh clone and `npm start`. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { FrameClient } from "../../support/frames.js";
import { testWith } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { ROOT } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const git = testWith("git", "apt-get install git");
/** An install and a build took 52 s at a load average of 16. */
const PATIENCE = 240_000;
const dir = mkdtempSync(join(tmpdir(), "drover-clone-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

git(
  "in a fresh clone, `npm start` installs, builds and serves; Ctrl-C ends it",
  async () => {
    execFileSync("git", ["clone", "--quiet", ROOT, join(dir, "drover")]);
    const port = await freePort();
    const environment = {
      DROVER_HOST: "127.0.0.1",
      DROVER_PORT: String(port),
      DROVER_ADMIN_PORT: String(await freePort()),
    };
    // Like a terminal: Ctrl-C reaches npm, the shell and every process of drover.
    const npm = spawn("npm", ["start"], {
      cwd: join(dir, "drover"),
      env: {
        ...process.env,
        ...environment,
        XDG_RUNTIME_DIR: dir,
        DROVER_WORKERS: "2",
        npm_config_prefer_offline: "true",
      },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let said = "";
    for (const stream of [npm.stdout, npm.stderr])
      stream.setEncoding("utf8").on("data", (text) => (said += text));
    const exited = new Promise((resolve) => npm.once("close", resolve));
    try {
      await eventually(
        () => said.includes(" serves echo") || (npm.exitCode !== null && Promise.reject(new Error(said))),
        PATIENCE,
      );
      const client = await FrameClient.connect(port);
      client.socket.write(Buffer.from([0, 5, ...Buffer.from("hello")]));
      expect((await client.receive()).toString()).toBe("hello");
      client.end();
      process.kill(-(npm.pid as number), "SIGINT");
      await exited;
    } finally {
      try {
        process.kill(-(npm.pid as number), "SIGKILL");
      } catch {}
    }
  },
  2 * PATIENCE,
);
