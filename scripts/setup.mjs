// Prepares a clone: installs the packages of the lock file and builds dist/, each only when missing or stale.
// `npm start` and `npm test` run it first, so it must be quick when nothing is to be done.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const at = (...names) => join(root, ...names);
const read = (file) => (existsSync(file) ? readFileSync(file, "utf8") : "");

/** Fingerprint of the sources of dist/. A hash, because the newest mtime does not change when a file is removed. */
function sources() {
  const hash = createHash("sha256");
  const visit = (path) => {
    const stat = statSync(path);
    if (!stat.isDirectory()) return hash.update(`${path} ${stat.size} ${stat.mtimeMs}\n`);
    for (const name of readdirSync(path).sort()) visit(join(path, name));
  };
  for (const name of ["src", "scripts/build.mjs", "scripts/build", "package.json", "tsconfig.json"])
    visit(at(name));
  return hash.digest("hex");
}

function run(what, command, args) {
  process.stderr.write(`drover: ${what} …\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status === 0) return;
  process.stderr.write(`drover: ${what} failed${error ? `: ${error.message}` : ""}\n`);
  process.exit(status ?? 1);
}

const lock = createHash("sha256")
  .update(read(at("package-lock.json")))
  .digest("hex");
const installed = at("node_modules", ".drover-lock");
if (read(installed) !== lock) {
  run("installing packages of package-lock.json", "npm", ["ci", "--no-audit", "--no-fund"]);
  writeFileSync(installed, lock);
}

const built = at("dist", ".sources");
const wanted = sources();
if (read(built) !== wanted) {
  run("building dist/", process.execPath, [at("scripts", "build.mjs")]);
  writeFileSync(built, wanted);
}
