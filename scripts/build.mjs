// Builds dist/: program, library and built-in protocols as ES modules with shared chunks (a protocol that imports
// "drover" gets the same module instances that serve it), the observer page with its dependencies, and the types.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { licencesOf, requireBuiltins } from "./build/bundled.mjs";
import { entriesWithBase } from "./build/chunks.mjs";
import { finishDeclarations } from "./build/declarations.mjs";
import { writeFacts } from "./build/facts.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const out = join(root, "dist");
const protocols = readdirSync(join(root, "src/protocols"))
  .filter((name) => name.endsWith(".ts"))
  .map((name) => name.slice(0, -".ts".length));

rmSync(out, { recursive: true, force: true });
const program = await build({
  absWorkingDir: root,
  entryPoints: ["main", "index", "testing", ...protocols.map((name) => `protocols/${name}`)].map((name) => ({
    in: `src/${name}.ts`,
    out: name,
  })),
  outdir: "dist",
  bundle: true,
  splitting: true,
  // Native, and optional.
  external: ["esbuild", "@nats-io/*"],
  plugins: [requireBuiltins, entriesWithBase(join(root, "src"))],
  metafile: true,
  platform: "node",
  target: "node20",
  format: "esm",
  sourcemap: true,
  // The package has src/, which its documents lead to.
  sourcesContent: false,
  logLevel: "warning",
});
chmodSync(join(out, "main.js"), 0o755);
await writeFacts(out, protocols);

const page = await build({
  absWorkingDir: root,
  entryPoints: [
    { in: "src/admin/page/main.tsx", out: "page" },
    { in: "src/admin/page/page.css", out: "page" },
  ],
  outdir: "dist/page",
  bundle: true,
  minify: true,
  platform: "browser",
  target: ["chrome116", "firefox124", "safari17.4"],
  // Both files are served as UTF-8: escapes would only be longer.
  charset: "utf8",
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  metafile: true,
  logLevel: "warning",
});
copyFileSync(join(root, "src/admin/page/index.html"), join(out, "page/index.html"));
writeFileSync(join(out, "LICENSES.txt"), licencesOf(root, [program.metafile]));
writeFileSync(join(out, "page/LICENSES.txt"), licencesOf(root, [page.metafile]));

const tsc = join(root, "node_modules", ".bin", "tsc");
const { status } = spawnSync(tsc, ["-p", join(root, "scripts", "build", "tsconfig.types.json")], {
  cwd: root,
  stdio: "inherit",
});
if (status === 0) finishDeclarations(out, ["index", "testing"]);
process.exit(status ?? 1);
