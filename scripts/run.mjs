// Runs a script by its name: bundles scripts/FOLDER/NAME.ts to dist/scripts/NAME.js, as Node 20 cannot load TypeScript.
import { mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Scripts are the TypeScript files at the top of these folders; what they import is in folders below. */
const FOLDERS = ["bench", "check", "docs", "load"];
const scripts = new Map(
  FOLDERS.flatMap((folder) =>
    readdirSync(join(root, "scripts", folder))
      .filter((file) => file.endsWith(".ts"))
      .map((file) => [file.slice(0, -".ts".length), join(root, "scripts", folder, file)]),
  ),
);
const [name, ...args] = process.argv.slice(2);
const source = scripts.get(name);
if (source === undefined) {
  console.error(
    `usage: node scripts/run.mjs NAME [ARGUMENTS]\nscripts: ${[...scripts.keys()].sort().join(", ")}`,
  );
  process.exit(64);
}
const outfile = join(root, "dist", "scripts", `${name}.js`);
// Renamed when complete: another run of the same script may be forking processes from the file.
const built = `${outfile}.${process.pid}`;
mkdirSync(join(root, "dist", "scripts"), { recursive: true });
await build({
  entryPoints: [source],
  outfile: built,
  bundle: true,
  packages: "external",
  platform: "node",
  target: "node20",
  format: "esm",
  sourcemap: "inline",
  logLevel: "warning",
});
renameSync(built, outfile);
process.argv = [process.argv[0], outfile, ...args];
await import(pathToFileURL(outfile).href);
