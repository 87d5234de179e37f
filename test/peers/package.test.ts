/** The packed package in an empty folder: types by attw and publint, CommonJS on every Node major, links of its documents. */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageFolder, testWithPackage } from "../support/peers.js";
import { ROOT } from "../support/program.js";

const dir = mkdtempSync(join(tmpdir(), "drover-package-"));
const run = promisify(execFile);
const attw = testWithPackage("@arethetypeswrong/cli");
const publint = testWithPackage("publint");
const tool = (name: string) => join(packageFolder(), "node_modules/.bin", name);
let tarball: string;

beforeAll(async () => {
  const args = ["pack", "--ignore-scripts", "--pack-destination", dir, "--json"];
  tarball = join(dir, JSON.parse((await run("npm", args, { cwd: ROOT })).stdout)[0].filename);
  writeFileSync(join(dir, "package.json"), '{ "private": true }');
  const typescript = JSON.parse(
    readFileSync(join(ROOT, "node_modules/typescript/package.json"), "utf8"),
  ).version;
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund"];
  await run("npm", ["install", tarball, `typescript@${typescript}`, ...quiet], { cwd: dir });
});
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

/** The Node of this run, and those that .ci/run has installed. */
const nodes = [
  process.execPath,
  ...[22, 24, 26]
    .map((major) => join(packageFolder(), `node_modules/node${major}/bin/node`))
    .filter(existsSync),
];

test.each(nodes)("CommonJS protocols and programs, by %s", async (node) => {
  for (const [name, code] of Object.entries(FILES)) writeFileSync(join(dir, name), code);
  const main = join(dir, "node_modules/drover/dist/main.js");
  for (const name of Object.keys(FILES).filter((one) => one !== "library.cjs")) {
    const args = [
      main,
      "check",
      `./${name}`,
      "--port=0",
      "--admin-port=0",
      `--control=${join(dir, "c.sock")}`,
    ];
    const checked = await run(node, args, { cwd: dir }).catch((error) => error as { stdout: string });
    expect(checked.stdout, name).toMatch(new RegExp(`^ok +protocol .* from \\./${name}`, "m"));
  }
  const { stdout, stderr } = await run(node, ["library.cjs"], { cwd: dir });
  expect([stdout, stderr]).toEqual(["served true\n", ""]);
});

test("CommonJS is type-checked as ES modules are", async () => {
  for (const [name, code] of Object.entries(FILES)) writeFileSync(join(dir, name), code);
  const args = ["--noEmit", "--strict", "--module", "nodenext", "--skipLibCheck", "false"];
  const files = Object.keys(FILES).filter((name) => /\.c?ts$/.test(name));
  const tsc = (...names: string[]) =>
    run(join(dir, "node_modules/.bin/tsc"), [...args, ...names], { cwd: dir });
  await tsc(...files);
  const wrong = (FILES["required.cts"] as string).replace("conn.send(line)", "conn.send(1)");
  writeFileSync(join(dir, "wrong.cts"), wrong);
  await expect(tsc("wrong.cts")).rejects.toMatchObject({ stdout: expect.stringContaining("wrong.cts") });
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
