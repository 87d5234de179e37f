/** The user's modules, compiled and run in this OS process: a configuration file is the entry. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { compileModules } from "../../src/config/modules/compile.js";
import { importModules } from "../../src/config/modules/load.js";
import { folderWith } from "./support.js";

function project(files: Readonly<Record<string, string>>): string {
  const folder = folderWith();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

async function defaultOf(files: Readonly<Record<string, string>>, entry = "e.ts"): Promise<unknown> {
  return (await importModules(await compileModules(join(project(files), entry), entry))).default;
}

test("each module has its own URL, file name and folder", async () => {
  const here = "[import.meta.url, import.meta.dirname, __filename, __dirname]";
  const files = {
    "e.ts": `import { inner } from "./sub/inner.js"; import outer from "./sub/outer.cjs"; export default [${here}, inner, outer];`,
    "sub/inner.ts": `export const inner = ${here};`,
    "sub/outer.cjs": "module.exports = [__filename, __dirname];",
  };
  const folder = project(files);
  const found = await importModules(await compileModules(join(folder, "e.ts"), "e.ts"));
  const own = (name: string) => {
    const path = join(folder, name);
    return [`file://${path}`, dirname(path), path, dirname(path)];
  };
  expect(found.default).toEqual([own("e.ts"), own("sub/inner.ts"), own("sub/outer.cjs").slice(2)]);
});

test.each([
  ["a named import of any property", `import { b } from "./c.cjs"; export default b;`, "here"],
  ["a default import", `import c from "./c.cjs"; export default c.b;`, "here"],
  ["what a compiler made of an ES module", `import d from "./compiled.js"; export default d;`, "compiled"],
  ["require", `const { b } = require("./c.cjs"); export default b;`, "here"],
  ["import()", `export default (await import("./c.cjs")).b;`, "here"],
  ["a cycle", `import c from "./cycle-a.cjs"; export default c.seen;`, "partial"],
  ["an ES module that it requires", `import c from "./requires-esm.cjs"; export default c;`, "esm"],
])("CommonJS: %s", async (_, entry, value) => {
  const files = {
    "e.ts": entry,
    "c.cjs": `Object.assign(module.exports, { b: "here" });`,
    "compiled.js": `Object.defineProperty(exports, "__esModule", { value: true }); exports.default = "compiled";`,
    "cycle-a.cjs": `exports.early = "partial"; exports.seen = require("./cycle-b.cjs").seen;`,
    "cycle-b.cjs": `exports.seen = require("./cycle-a.cjs").early;`,
    "requires-esm.cjs": `module.exports = require("./esm.js").value;`,
    "esm.ts": `export const value: string = "esm";`,
  };
  expect(await defaultOf(files)).toBe(value);
});

test("ES modules in a cycle, at whose end one awaits", async () => {
  const files = {
    "e.ts": `import { b } from "./b.js"; export const a = () => "a"; export default b();`,
    "b.ts": `import { a } from "./e.js"; await Promise.resolve(); export const b = () => a() + "b";`,
  };
  expect(await defaultOf(files)).toBe("ab");
});

test("JSON and text, with an attribute and without, and one object for all modules that import it", async () => {
  const files = {
    "e.ts": `import data, { n } from "./d.json"; import same from "./d.json" with { type: "json" };
      import text from "./t.txt"; import { again } from "./again.js"; export default [data, n, same, text, data === again];`,
    "again.ts": `import data from "./d.json"; export const again = data;`,
    "d.json": `{ "n": 1 }`,
    "t.txt": "hello",
  };
  expect(await defaultOf(files)).toEqual([{ n: 1 }, 1, { n: 1 }, "hello", true]);
});

test("a computed import is resolved from the module; what was there at the start comes from then", async () => {
  const folder = project({
    "sub/e.ts": `export default (name: string) => import(\`./plugins/\${name}.ts\`).then((module) => [module.value, module.url]);
      export const other = (path: string) => import(path).then((module) => module.value);`,
    "sub/plugins/one.ts": "export const value: number = 1; export const url = import.meta.url;",
  });
  const modules = await compileModules(join(folder, "sub/e.ts"), "e.ts");
  writeFileSync(join(folder, "sub/plugins/one.ts"), "export const value = 10;");
  writeFileSync(join(folder, "sub/later.mjs"), "export const value = 'read from disk';");
  const { default: load, other } = (await importModules(modules)) as Record<string, any>;
  expect(await load("one")).toEqual([1, `file://${join(folder, "sub/plugins/one.ts")}`]);
  expect(await other("./plugins/one.js")).toBe(1);
  expect(await other("./later.mjs")).toBe("read from disk");
  await expect(other("./gone.mjs")).rejects.toThrow(/Cannot find module .*gone\.mjs/);
});

test("paths of tsconfig.json, and its options for a file", async () => {
  const files = {
    "tsconfig.json": `{ "compilerOptions": { "paths": { "@rules/*": ["./src/rules/*"] }, "jsx": "react", "jsxFactory": "h" } }`,
    "e.ts": `import { words } from "@rules/words"; import { element } from "./element.js"; import c from "./c.cjs"; export default [words, element, c];`,
    "src/rules/words.ts": `export const words = "aliased";`,
    "c.cjs": `module.exports = require("@rules/words").words;`,
    "element.tsx": `const h = (name: string) => name; export const element = <br />;`,
  };
  expect(await defaultOf(files)).toEqual(["aliased", "br", "aliased"]);
});

test("packages as esbuild finds them: a subpath without extension, TypeScript, through a symbolic link", async () => {
  const folder = project({
    "e.ts": `import a from "plain/lib/a"; import { b } from "typed"; import c from "@org/linked"; import d from "exported/d"; export default [a, b, c, d];`,
    "node_modules/plain/package.json": "{}",
    "node_modules/plain/lib/a.js": `module.exports = "a";`,
    "node_modules/typed/package.json": `{ "type": "module", "exports": "./b.ts" }`,
    "node_modules/typed/b.ts": `export const b: string = "b";`,
    "store/linked/index.js": `module.exports = "c";`,
    "node_modules/exported/package.json": `{ "exports": { "./d": { "import": "./esm/d.mjs" } } }`,
    "node_modules/exported/esm/d.mjs": `export default "d";`,
  });
  mkdirSync(join(folder, "node_modules/@org"));
  symlinkSync("../../store/linked", join(folder, "node_modules/@org/linked"));
  const found = await importModules(await compileModules(join(folder, "e.ts"), "e.ts"));
  expect(found.default).toEqual(["a", "b", "c", "d"]);
});

test("a package is one module for all modules that import it, and keeps what it is given", async () => {
  const files = {
    "e.ts": `import "./sets.cjs"; import pkg from "pkg"; export default pkg.value;`,
    "sets.cjs": `require("pkg").value = "set";`,
    "node_modules/pkg/index.js": `exports.value = "unset"; exports.cache = require.cache;`,
  };
  expect(await defaultOf(files)).toBe("set");
});

test("an optional package that is not there can be caught", async () => {
  const files = {
    "e.ts": `import c from "./c.cjs"; let e; try { e = require("gone-too"); } catch { e = "none"; } export default [c, e];`,
    "c.cjs": `try { module.exports = require("gone"); } catch { module.exports = "none"; }`,
  };
  expect(await defaultOf(files)).toEqual(["none", "none"]);
});

test.each([
  [
    "import { b } from './x.js';\nexport default b;",
    /^e\.ts:1:10: No matching export in ".*x\.ts" for import "b"$/,
  ],
  ["import gone from 'gone';\nexport default gone;", /^e\.ts:1:18: Could not resolve "gone"$/],
  ["export default {\n  a: 1,,\n};", /^e\.ts:2:\d+: Expected identifier but found ","$/],
])("a mistake is named with its place: %j", async (entry, message) => {
  await expect(defaultOf({ "e.ts": entry, "x.ts": "export const a = 1;" })).rejects.toThrow(message);
});
