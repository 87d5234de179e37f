/**
 * The packed package in the empty folder of a new user: types by attw and publint, the README's protocol, CommonJS on
 * every Node major, links of its documents.
 */
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import { FrameClient } from "../../support/frames.js";
import { npm, pack } from "../../support/npm.js";
import { packageFolder, testWithPackage } from "../../support/peers.js";
import { endAll, ROOT, serveProgram } from "../../support/program.js";

const run = promisify(execFile);
const attw = testWithPackage("@arethetypeswrong/cli");
const publint = testWithPackage("publint");
const tool = (name: string) => join(packageFolder(), "node_modules/.bin", name);

/** The new user's folder. */
const dir = mkdtempSync(join(tmpdir(), "drover-package-"));
const main = join(dir, "node_modules/drover/dist/main.js");
/** Within it, with a package.json that has no `type`. */
const typeless = join(dir, "typeless");
let tarball: string;

beforeAll(async () => {
  tarball = await pack(dir);
  await npm(dir, "init", "-y");
  await npm(dir, "install", tarball);
  mkdirSync(typeless);
  writeFileSync(join(typeless, "package.json"), '{ "private": true }');
  for (const [name, code] of Object.entries(FILES)) writeFileSync(join(typeless, name), code);
}, 240_000);
afterEach(endAll);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Without `node10`, which knows no `exports`: TypeScript has dropped it. */
attw.test("attw: types for ESM, CommonJS and bundlers", async () => {
  const { stdout } = await run(tool("attw"), [tarball, "--profile", "node16", "--format", "json"]);
  const { analysis } = JSON.parse(stdout);
  const problems = analysis.problems.filter((one: any) => one.resolutionKind !== "node10");
  expect(problems).toEqual([]);
  expect(Object.keys(analysis.entrypoints)).toEqual([".", "./testing", "./package.json"]);
});

publint.test("publint: nothing to say", async () => {
  const { stdout } = await run(tool("publint"), ["run", tarball, "--strict"]);
  expect(stdout).toContain("All good!");
});

// -- a new user ---------------------------------------------------------------------------------------------

const readme = readFileSync(join(ROOT, "README.md"), "utf8");

test("the README's command installs drover from a clone beside the folder", async () => {
  const [, args = ""] = /^npm install (\S*\.\.\/drover [^#\n]*)/m.exec(readme) ?? [];
  expect(args).toContain("../drover");
  const parent = mkdtempSync(join(tmpdir(), "drover-beside-"));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  symlinkSync(ROOT, join(parent, "drover"));
  const beside = join(parent, "beside");
  mkdirSync(beside);
  writeFileSync(join(beside, "package.json"), "{}");
  await npm(beside, "install", ...args.trim().split(/\s+/));
  const { stdout } = await run("npx", ["drover", "--version"], { cwd: beside });
  expect(stdout).toMatch(/\d+\.\d+\.\d+/);
}, 240_000);

/** The first TypeScript example under a heading of the README. */
function example(heading: string): string {
  const section = readme.slice(readme.indexOf(`## ${heading}`));
  return /```ts\n([\s\S]*?)```/.exec(section)?.[1] as string;
}

/** Errors of a file that is right and one that is wrong, as lines of the compiler. Not twice: it takes 5 s of CPU. */
async function errors(cwd: string, ...args: string[]): Promise<string[]> {
  // That of this repository: another installation of the same version would say the same.
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  const { stdout } = await run(tsc, ["--noEmit", ...args], { cwd }).catch((error) => error);
  return String(stdout)
    .split("\n")
    .filter((line) => line.includes("error TS"));
}
let found: Promise<string[]> | undefined;

function readmeErrors(): Promise<string[]> {
  const code = example("Write your own protocol");
  const wrong = code
    .replace(/frame: \(conn, frame\) => [^\n]*/, 'frame: () => next("raedy"),')
    .replace("packet,", "next, packet,");
  expect(wrong).toContain("raedy");
  writeFileSync(join(dir, "my-protocol.ts"), code);
  writeFileSync(join(dir, "wrong-state.ts"), wrong);
  found ??= errors(dir, "my-protocol.ts", "wrong-state.ts");
  return found;
}

test("the README's protocol compiles, and is served from the empty folder", async () => {
  expect((await readmeErrors()).filter((line) => !line.startsWith("wrong-state.ts("))).toEqual([]);
  const { port } = await serveProgram(["./my-protocol.ts", "--workers=1"], { cwd: dir, main });
  const client = await FrameClient.connect(port);
  expect(await client.ask("hello")).toBe("hello");
  client.end();
});

test("a wrong state name in it does not compile", async () => {
  const lines = (await readmeErrors()).filter((line) => line.startsWith("wrong-state.ts("));
  expect(lines.join("\n")).toContain("raedy");
});

// -- CommonJS -----------------------------------------------------------------------------------------------

const PROTOCOL = (name: string) =>
  `{ name: "${name}", framing: lines(), states: { ready: { frame: (conn, line) => conn.send(line) } } }`;

/** File names by what is in them; `js` and `ts` files are CommonJS where no `type` says otherwise. */
const FILES: Readonly<Record<string, string>> = {
  "exported.cjs": `const { defineProtocol, lines } = require("drover");
module.exports = defineProtocol(${PROTOCOL("exported")});`,
  "by-default.cjs": `const { defineProtocol, lines } = require("drover");
exports.default = defineProtocol(${PROTOCOL("by-default")});`,
  "typeless.js": `const { defineProtocol, lines } = require("drover");
module.exports = defineProtocol(${PROTOCOL("typeless")});`,
  "imported.cts": `import { defineProtocol, lines } from "drover";
export default defineProtocol(${PROTOCOL("imported")});`,
  "required.cts": `import drover = require("drover");
const { defineProtocol, lines } = drover;
export = defineProtocol(${PROTOCOL("required")});`,
  "typeless.ts": `import { defineProtocol, lines } from "drover";
export default defineProtocol(${PROTOCOL("typeless-ts")});`,
  "library.cjs": `const { serve } = require("drover");
const testing = require("drover/testing");
serve(require("./exported.cjs"), { port: 0 })
  .then(async (server) => { await server.stop(); console.log("served", Object.keys(testing).length > 0); });`,
};
const PROTOCOLS = Object.keys(FILES).filter((name) => name !== "library.cjs");

/** The Node of this run, and those that .ci/run has installed. */
const nodes = [
  process.execPath,
  ...[22, 24, 26]
    .map((major) => join(packageFolder(), `node_modules/node${major}/bin/node`))
    .filter(existsSync),
];

test.each(nodes)("CommonJS protocols and programs, by %s", async (node) => {
  // One listener for each: a single check loads them all, each on its own.
  const listeners = PROTOCOLS.map((name, at) => ({ name: `l${at}`, protocol: `./${name}`, port: 0 }));
  const config = { adminPort: 0, control: join(dir, "c.sock"), listeners };
  writeFileSync(join(typeless, "drover.json"), JSON.stringify(config));
  const args = [main, "check", "--config=drover.json"];
  const checked = await run(node, args, { cwd: typeless }).catch((error) => error as { stdout: string });
  for (const name of PROTOCOLS)
    expect(checked.stdout, name).toMatch(new RegExp(`^ok +protocol .* from \\./${name} `, "m"));
  const { stdout, stderr } = await run(node, ["library.cjs"], { cwd: typeless });
  expect([stdout, stderr]).toEqual(["served true\n", ""]);
});

test("CommonJS is type-checked as ES modules are", async () => {
  const wrong = (FILES["required.cts"] as string).replace("conn.send(line)", "conn.send(1)");
  writeFileSync(join(typeless, "wrong.cts"), wrong);
  const options = ["--strict", "--module", "nodenext", "--skipLibCheck", "false"];
  const files = Object.keys(FILES).filter((name) => /\.c?ts$/.test(name));
  const lines = await errors(typeless, ...options, ...files, "wrong.cts");
  expect(lines).not.toEqual([]);
  expect(lines.filter((line) => !line.startsWith("wrong.cts("))).toEqual([]);
});

test("every link of a packed document leads to a packed file", () => {
  const root = join(dir, "node_modules/drover");
  const documents = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (name) => name.endsWith(".md") && !name.includes("node_modules"),
  );
  const missing = documents.flatMap((name) => {
    const text = readFileSync(join(root, name), "utf8").replace(/^```[\s\S]*?^```/gm, "");
    return [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .filter(([, path]) => !existsSync(join(root, dirname(name), path as string)))
      .map(([, path]) => `${name}: ${path}`);
  });
  expect(documents.length).toBeGreaterThan(30);
  expect(missing).toEqual([]);
});
