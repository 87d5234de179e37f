// Runs scripts/NAME.ts: Node 20 cannot read TypeScript by itself.
import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const [name, ...args] = process.argv.slice(2);
const outfile = join(root, "dist", "scripts", `${name}.js`);
// Renamed when it is whole: another run of the same script may be starting its processes from it just now.
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
