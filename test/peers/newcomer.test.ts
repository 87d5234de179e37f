/** A new user with an empty folder: installs the package, type-checks the README's protocol, serves it. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { FrameClient } from "../support/frames.js";
import { freePort } from "../support/ports.js";
import { endAll, Program, ROOT } from "../support/program.js";

const dir = mkdtempSync(join(tmpdir(), "drover-newcomer-"));
const exec = promisify(execFile);
const npm = (...args: string[]) => exec("npm", [...args, "--no-audit", "--no-fund"], { cwd: dir });

/** The first TypeScript example under a heading of the README. */
function example(heading: string): string {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const section = readme.slice(readme.indexOf(`## ${heading}`));
  return /```ts\n([\s\S]*?)```/.exec(section)?.[1] as string;
}

beforeAll(async () => {
  const { stdout } = await exec("npm", ["pack", "--ignore-scripts", "--pack-destination", dir, "--json"], {
    cwd: ROOT,
  });
  await npm("init", "-y");
  const { version } = JSON.parse(readFileSync(join(ROOT, "node_modules/typescript/package.json"), "utf8"));
  await npm("install", join(dir, JSON.parse(stdout)[0].filename), `typescript@${version}`);
});

afterEach(endAll);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("the README's command installs drover from a clone beside the folder", async () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const [, args = ""] = /^npm install (\S*\.\.\/drover [^#\n]*)/m.exec(readme) ?? [];
  expect(args).toContain("../drover");
  const beside = mkdtempSync(join(dir, "beside-"));
  symlinkSync(ROOT, join(dir, "drover"));
  await exec("npm", ["install", ...args.trim().split(/\s+/), "--no-audit", "--no-fund"], { cwd: beside });
  const { stdout } = await exec("npx", ["drover", "--version"], { cwd: beside });
  expect(stdout).toMatch(/\d+\.\d+\.\d+/);
});

const tsc = () => exec("npx", ["tsc", "--noEmit", "my-protocol.ts"], { cwd: dir });

test("the README's protocol compiles, and is served from the empty folder", async () => {
  writeFileSync(join(dir, "my-protocol.ts"), example("Write your own protocol"));
  await tsc();
  const port = await freePort();
  const program = new Program(
    [
      "start",
      "./my-protocol.ts",
      "--host=127.0.0.1",
      `--port=${port}`,
      `--admin-port=${await freePort()}`,
      "--workers=1",
      "--log-format=json",
    ],
    {
      cwd: dir,
      main: join(dir, "node_modules/drover/dist/main.js"),
    },
  );
  await program.line((line) => / serves /.test(line.msg ?? ""));
  const client = await FrameClient.connect(port);
  expect(await client.ask("hello")).toBe("hello");
  client.end();
});

test("a wrong state name in it does not compile", async () => {
  const code = example("Write your own protocol")
    .replace(/frame: \(conn, frame\) => [^\n]*/, 'frame: () => next("raedy"),')
    .replace("packet,", "next, packet,");
  expect(code).toContain("raedy");
  writeFileSync(join(dir, "my-protocol.ts"), code);
  await expect(tsc()).rejects.toMatchObject({ stdout: expect.stringContaining("raedy") });
});
