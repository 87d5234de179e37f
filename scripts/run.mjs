// Runs scripts/NAME.ts: bundles it to dist/scripts/NAME.js, because Node 20 cannot load TypeScript.
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const [name, ...args] = process.argv.slice(2);
const outfile = join(root, "dist", "scripts", `${name}.js`);
// Renamed when complete: another run of the same script may be forking processes from the file.
const built = `${outfile}.${process.pid}`;
mkdirSync(join(root, "dist", "scripts"), { recursive: true });
await build({
  entryPoints: [join(root, "scripts", `${name}.ts`)],
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
