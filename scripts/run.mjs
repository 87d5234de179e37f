// Runs scripts/NAME.ts: Node 20 cannot read TypeScript by itself.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const [name, ...args] = process.argv.slice(2);
const outfile = join(root, "dist", "scripts", `${name}.js`);
mkdirSync(join(root, "dist", "scripts"), { recursive: true });
await build({
  entryPoints: [join(root, "scripts", `${name}.ts`)],
  outfile,
  bundle: true,
  packages: "external",
  platform: "node",
  target: "node20",
  format: "esm",
  sourcemap: "inline",
  logLevel: "warning",
});
process.argv = [process.argv[0], outfile, ...args];
await import(pathToFileURL(outfile).href);
