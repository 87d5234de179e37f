/**
 * The Dockerfile of `drover new --docker`: its syntax, and its commands run by hand in folders, with the packed drover.
 * There is no Docker here: what the base image and its package manager do is not tested.
 */
import { execFile } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { Client } from "../../support/client.js";
import { npm, pack } from "../../support/npm.js";
import { testWithPackage } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { endAll, MAIN, Program, ROOT } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const exec = promisify(execFile);
const utils = testWithPackage("dockerfile-utils");
afterEach(endAll);

utils.test("the syntax of the Dockerfile is valid", () => {
  const text = readFileSync(join(ROOT, "scripts/deploy/Dockerfile"), "utf8");
  expect(utils.load().validate(text)).toEqual([]);
});

/** The instructions, with their continued lines joined. */
function instructions(text: string): (readonly [name: string, rest: string])[] {
  const lines = text
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll("\\\n", "")
    .split("\n");
  return lines.flatMap((line) => {
    const [, name, rest] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    return name === undefined || rest === undefined ? [] : [[name, rest] as const];
  });
}

test("each command of the Dockerfile works in its folder: install, check, serve and health, as another user", async () => {
  const work = mkdtempSync(join(tmpdir(), "drover-image-"));
  onTestFinished(() => rmSync(work, { recursive: true, force: true }));
  chmodSync(work, 0o755);
  const [project, app] = [join(work, "my-chat"), join(work, "app")];
  await exec(process.execPath, [MAIN, "new", project, "--docker"]);
  const tarball = await pack(project);
  const manifest = join(project, "package.json");
  const content = JSON.parse(readFileSync(manifest, "utf8"));
  content.dependencies.drover = `file:./${basename(tarball)}`;
  content.devDependencies = {};
  writeFileSync(manifest, JSON.stringify(content));
  await npm(project, "install", "--package-lock-only");

  const steps = instructions(readFileSync(join(project, "Dockerfile"), "utf8"));
  const only = (name: string) => steps.filter(([one]) => one === name).map(([, rest]) => rest);
  const ignored = readFileSync(join(project, ".dockerignore"), "utf8").split("\n");
  cpSync(project, app, { recursive: true, filter: (path) => !ignored.includes(basename(path)) });
  const commands = only("RUN").filter((command) => !command.startsWith("apt-get"));
  expect(commands).toEqual(["npm ci --omit=dev", "node_modules/.bin/drover check ./protocol.ts"]);
  const free = { DROVER_PORT: `${await freePort()}`, DROVER_ADMIN_PORT: `${await freePort()}` };
  for (const command of commands)
    await exec("sh", ["-c", `${command} --no-audit --no-fund`.replace(/(check .*) --no-audit.*/, "$1")], {
      cwd: app,
      env: { ...process.env, ...free, XDG_RUNTIME_DIR: work },
    });

  expect(only("USER")).toEqual(["node"]);
  const [start] = only("CMD").map((text) => JSON.parse(text));
  const [health] = only("HEALTHCHECK").map((text) => JSON.parse(text.replace(/^.*? CMD /, "")));
  expect([start[0], health[0]]).toEqual(["drover", "drover"]);
  // The user `node` of the image; nothing of the folder may be writable for it.
  const user = process.getuid?.() === 0 ? { uid: 1000, gid: 1000 } : {};
  const env = {
    ...{ ...free, HOME: "/nowhere", DROVER_CONTROL: `/tmp/drover-image-${process.pid}/drover.sock` },
    ...{ DROVER_HOST: "127.0.0.1", DROVER_WORKERS: "1", DROVER_LOG_FORMAT: "json" },
  };
  onTestFinished(() => rmSync(`/tmp/drover-image-${process.pid}`, { recursive: true, force: true }));
  const bin = join(app, "node_modules/drover/dist/main.js");
  const program = new Program(start.slice(1), { cwd: app, main: bin, env, ...user });
  await program.line(({ msg }) => / serves greeter /.test(msg ?? ""));
  const client = await Client.connect(Number(free.DROVER_PORT));
  client.write("ada\n");
  await eventually(() => client.bytes.toString() === "who are you?\nhello, ada\n");
  await client.close();
  const { stdout } = await exec(process.execPath, [bin, ...health.slice(1)], { cwd: app, env, ...user });
  expect(stdout).toBe("ok, 1 worker\n");
  program.signal("SIGTERM");
  expect((await program.exited).code).toBe(0);
  await expect(
    exec(process.execPath, [bin, ...health.slice(1)], { cwd: app, env, ...user }),
  ).rejects.toMatchObject({ code: 69 });
}, 240_000);
