// The type declarations of the package, after tsc has written those of all of src/: keeps what the public entry points
// reach, and copies it for CommonJS, because TypeScript reads a .d.ts by the "type" of its nearest package.json.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const IMPORT = /(?:from|import\() ?"(\.[^"]+)\.js"/g;

/** @param entries names of public modules, such as "index" */
export function finishDeclarations(dist, entries) {
  const types = join(dist, "types");
  const reached = new Set();
  const reach = (path) => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const [, target] of readFileSync(path, "utf8").matchAll(IMPORT))
      reach(`${join(dirname(path), target)}.d.ts`);
  };
  for (const entry of entries) reach(join(types, `${entry}.d.ts`));
  for (const name of readdirSync(types, { recursive: true })) {
    const path = join(types, name);
    if (name.endsWith(".d.ts") && !reached.has(path)) rmSync(path);
  }
  const cjs = join(dist, "cjs");
  mkdirSync(cjs);
  writeFileSync(join(cjs, "package.json"), '{ "type": "commonjs" }\n');
  // Both entries load the same modules: a protocol is recognized by its classes.
  for (const entry of entries)
    writeFileSync(join(cjs, `${entry}.js`), `module.exports = require("../${entry}.js");\n`);
  for (const path of reached) cpSync(path, path.replace(types, join(cjs, "types")));
}
