/** The user's own modules beside each other and beside packages, in the built program: one that serves them all. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { FrameClient } from "../../support/frames.js";
import { isAlive } from "../../support/os-processes.js";
import { endAll, type LogLine, Program, run, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** A folder that is gone after the test, with these files in it, in sub-folders as well. */
function project(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "drover-modules-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  write(folder, files);
  return folder;
}

/** A protocol that answers what `answer` gives, as JSON. */
const answering = (imports: string, answer: string) => `${imports}
import { defineProtocol, packet } from "drover";
export default defineProtocol({
  name: "answering",
  framing: packet(2),
  states: { ready: { frame: async (conn, frame) => conn.send(JSON.stringify(await (${answer}))) } },
});
`;

async function ask(port: number, word = "?"): Promise<unknown> {
  const client = await FrameClient.connect(port);
  const answer = await client.ask(word);
  client.end();
  return JSON.parse(answer);
}

const READS = `import { readFileSync } from "node:fs";
export const words = () => readFileSync(new URL("./words.txt", import.meta.url), "utf8");`;

const PACKAGES = {
  "node_modules/data/index.js": `module.exports = require(require("path").join(__dirname, "data.json"));`,
  "node_modules/data/data.json": `{ "name": "data" }`,
  "node_modules/threads/package.json": `{ "name": "threads", "type": "module", "exports": "./main.js" }`,
  "node_modules/threads/main.js": `import { Worker } from "node:worker_threads";
export const ask = () => new Promise((resolve, reject) => {
  new Worker(new URL("./w.js", import.meta.url)).once("message", resolve).once("error", reject);
});`,
  "node_modules/threads/w.js": `import { parentPort } from "node:worker_threads"; parentPort.postMessage("thread");`,
};

/** A protocol that a package exports as a function of what it answers. */
const packaged = (type: string, head: string) => ({
  "p.ts": `import make from "protocol-of-mine"; export default make("hello");`,
  "node_modules/protocol-of-mine/package.json": `{ "type": "${type}", "main": "./index.js" }`,
  "node_modules/protocol-of-mine/index.js": `${head} defineProtocol({
    name: "packaged", framing: packet(2),
    states: { ready: { frame: (conn) => conn.send(JSON.stringify(answer)) } } });`,
});

/** Projects by the name of their folder and listener, with the file of their protocol. */
const PROJECTS: Readonly<Record<string, readonly [protocol: string, Readonly<Record<string, string>>]>> = {
  beside: [
    "p.ts",
    {
      "p.ts": answering(
        `import { words } from "./rules/words.js"; import { words as again } from "./rules/again.cjs";`,
        "[words(), again()]",
      ),
      "rules/words.ts": READS,
      "rules/again.cjs": `exports.words = () => require("fs").readFileSync(require("path").join(__dirname, "words.txt"), "utf8");`,
      "rules/words.txt": "red green",
    },
  ],
  commonjs: [
    "p.cjs",
    {
      "p.cjs": `const { defineProtocol, packet, whereis } = require("drover");
const { colour } = require("./rules/colour");
module.exports = defineProtocol({ name: "c", framing: packet(2), states: { ready: {
  frame: (conn) => conn.send(JSON.stringify([colour, typeof whereis("commonjs.listener")])),
} } });`,
      "rules/colour.js": `exports.colour = require("./colour.json").name;`,
      "rules/colour.json": `{ "name": "red" }`,
    },
  ],
  compiled: [
    "p.js",
    {
      "p.js": `"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
const drover_1 = require("drover");
exports.default = (0, drover_1.defineProtocol)({ name: "c", framing: (0, drover_1.packet)(2), states: { ready: {
  frame: (conn) => conn.send("1"),
} } });`,
    },
  ],
  later: [
    "p.ts",
    {
      "p.ts": answering(
        `import { one } from "./one.js"; import two from "./two.cjs"; import three from "./three.json"; import four from "pkg";`,
        "[one, two, three.three, four]",
      ),
      "one.ts": "export const one = 1;",
      "two.cjs": "module.exports = 2;",
      "three.json": `{ "three": 3 }`,
      "node_modules/pkg/index.js": "module.exports = 4;",
    },
  ],
  traced: [
    "p.ts",
    {
      "p.ts": answering(
        `import { fail } from "./rules/fail.js"; import type { X } from "./x.js";`,
        "fail(String(frame))",
      ),
      "rules/fail.ts": `import { throws } from "./throws.cjs";
export interface Y { a: number }

export const fail = (word: string): Y => throws(word);`,
      "rules/throws.cjs": `\n\nexports.throws = (word) => {\n  throw new Error(word);\n};`,
    },
  ],
  packages: [
    "p.ts",
    {
      ...PACKAGES,
      "p.ts": answering(`import data from "data"; import { ask } from "threads";`, "[data, await ask()]"),
    },
  ],
  nearer: [
    "deep/p.ts",
    {
      ...PACKAGES,
      "deep/p.ts": answering(`import data from "data";`, "data"),
      "deep/node_modules/data/index.js": "module.exports = 'nearer';",
    },
  ],
  esmodule: [
    "p.ts",
    packaged("module", `import { defineProtocol, packet } from "drover"; export default (answer) =>`),
  ],
  cjspackage: [
    "p.ts",
    packaged(
      "commonjs",
      `const { defineProtocol, packet } = require("drover"); module.exports = (answer) =>`,
    ),
  ],
  workspace: [
    "packages/server/p.ts",
    {
      "packages/rules/package.json": `{ "name": "@org/rules", "type": "module", "exports": "./src/index.ts" }`,
      "packages/rules/src/index.ts": `export { words } from "./words.js";`,
      "packages/rules/src/words.ts": READS,
      "packages/rules/src/words.txt": "linked",
      "packages/server/p.ts": answering(`import { words } from "@org/rules";`, "words()"),
    },
  ],
};

let program: Program;
let cwd: string;
const ports = new Map<string, number>();
const answerOf = (name: string, word?: string) => ask(ports.get(name) as number, word);

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), "drover-modules-"));
  for (const [name, [, files]] of Object.entries(PROJECTS)) write(join(cwd, name), files);
  mkdirSync(join(cwd, "workspace/node_modules/@org"), { recursive: true });
  symlinkSync("../../packages/rules", join(cwd, "workspace/node_modules/@org/rules"));
  const listeners = Object.entries(PROJECTS).map(([name, [protocol]]) => {
    return { name, protocol: `./${name}/${protocol}`, host: "127.0.0.1", port: 0 };
  });
  write(cwd, {
    "all.json": JSON.stringify({ adminPort: 0, workers: 1, listeners }),
    "node_modules/data/index.js": "module.exports = 'of the working directory';",
  });
  program = new Program(["start", "--config=all.json", "--log-format=json"], { cwd });
  for (const name of Object.keys(PROJECTS)) {
    const { port } = await program.line(({ listener, port }) => listener === name && port > 0);
    ports.set(name, port);
  }
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe("a module of the user's", () => {
  test("in a sub-folder finds the files beside it", async () => {
    expect(await answerOf("beside")).toEqual(["red green", "red green"]);
  });

  test("may be CommonJS from the protocol on, and gets the drover that runs", async () => {
    expect(await answerOf("commonjs")).toEqual(["red", "object"]);
  });

  test("may be what a compiler makes of an ES module", async () => {
    expect(await answerOf("compiled")).toBe(1);
  });

  test("runs in a worker that is started later as it was at the start, though its file has changed or is gone", async () => {
    expect(await answerOf("later")).toEqual([1, 2, 3, 4]);
    const folder = join(cwd, "later");
    writeFileSync(join(folder, "one.ts"), "export const one = 10;");
    writeFileSync(join(folder, "three.json"), `{ "three": 30 }`);
    rmSync(join(folder, "two.cjs"));
    rmSync(join(folder, "p.ts"));
    // Packages are read from disk.
    writeFileSync(join(folder, "node_modules/pkg/index.js"), "module.exports = 40;");
    const [worker] = program.workers() as [number];
    process.kill(worker, "SIGKILL");
    await eventually(() => program.workers().some((one) => one !== worker && isAlive(one)));
    expect(await answerOf("later")).toEqual([1, 2, 3, 40]);
  });

  test("is named with its own file and line in a stack trace, below a sub-folder and in CommonJS", async () => {
    const client = await FrameClient.connect(ports.get("traced") as number);
    client.send("no luck");
    const line = await program.line((line) => JSON.stringify(line).includes("no luck"));
    const text = JSON.stringify(line);
    expect(text).toContain("traced/rules/throws.cjs:4:9");
    expect(text).toContain("traced/rules/fail.ts:4:42");
    expect(text).toMatch(/[ (]traced\/p\.ts:\d+:\d+/);
  });
});

describe("a package", () => {
  test("reads its own files and starts its own threads", async () => {
    expect(await answerOf("packages")).toEqual([{ name: "data" }, "thread"]);
  });

  test("is resolved from where the user's file is, not from the working directory", async () => {
    expect(await answerOf("nearer")).toBe("nearer");
  });

  test.each([
    ["an ES module", "esmodule"],
    ["CommonJS", "cjspackage"],
  ])("may hold the protocol, as %s", async (_, name) => {
    expect(await answerOf(name)).toBe("hello");
  });

  test("of a workspace, linked as TypeScript, is the user's own", async () => {
    expect(await answerOf("workspace")).toBe("linked");
  });

  test("that is missing is named with the place where it is imported", async () => {
    const cwd = project({
      "p.ts": `import "./rules/x.js";\nexport default 1;`,
      "rules/x.ts": `\nimport gone from "gone-package";\nexport const x = gone;`,
    });
    const { code, stdout } = await run(["check", "./p.ts", "--port=0", "--admin-port=0"], { cwd });
    expect(code).toBe(66);
    expect(stdout).toContain(`rules/x.ts:2:18: Could not resolve "gone-package"`);
  });

  test("that lacks an export, or throws, is named with a place", async () => {
    const missing = project({
      "p.ts": `\nimport { b } from "pkg";\nexport default b;`,
      "node_modules/pkg/package.json": `{ "type": "module" }`,
      "node_modules/pkg/index.js": "export const a = 1;",
    });
    const refusal = async (cwd: string) =>
      (await run(["start", "./p.ts", "--port=0", "--admin-port=0"], { cwd })).stderr;
    expect(await refusal(missing)).toMatch(
      /p\.ts:\d+:\d+: SyntaxError: .*does not provide an export named 'b'/,
    );
    const throwing = project({
      "p.ts": `\nimport { a } from "pkg";\nexport default a();`,
      "node_modules/pkg/index.js": "exports.a = () => { throw new Error('no luck'); };",
    });
    expect(await refusal(throwing)).toMatch(/p\.ts:3:16: Error: no luck/);
  });
});

describe("a worker that is told to leave", () => {
  const BLOCKING = `
import { defineProtocol, packet } from "drover";
setInterval(() => {}, 1_000);
process.on("exit", () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30_000));
export default defineProtocol({ name: "blocking", framing: packet(2), states: { ready: { frame: (conn, frame) => {
  if (String(frame) === "throw") setImmediate(() => { throw new Error("outside of any process"); });
} } } });`;

  let program: Program;
  let port: number;
  beforeAll(async () => {
    ({ program, port } = await serveProtocol("p.ts", BLOCKING, ["--workers=2"]));
  });

  test("exits after an exception though an exit handler of a package blocks, and its exit status is the one that it meant", async () => {
    const client = await FrameClient.connect(port);
    client.send("throw");
    const report = await program.line((line) => line.report === "supervisor");
    expect(report).toMatchObject({ errorContext: "child_terminated", reason: "{exit_status,1}" });
    const again = ({ state }: LogLine) => state === "listening";
    await program.until(() => program.lines.filter(again).length === 3);
  });

  test("exits though an exit handler of a package blocks, and the program with it", async () => {
    const workers = program.workers();
    const before = program.lines.length;
    const asked = performance.now();
    program.signal("SIGTERM");
    expect(await program.exited).toEqual({ code: 0, signal: null });
    // The handlers block for 30 s.
    expect(performance.now() - asked).toBeLessThan(15_000);
    expect(workers.filter(isAlive)).toEqual([]);
    const lines = program.lines.slice(before);
    expect(lines.filter((line) => /its exit handlers took longer/.test(line.msg))).toHaveLength(2);
    expect(lines.filter((line) => line.report === "supervisor")).toEqual([]);
  });
});
