/** npm in tests: the package as it would be published, and installs that ask the registry for as little as they can. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./program.js";

const exec = promisify(execFile);

/** Runs npm in a folder that has a package.json: without one npm installs into the next folder above that has one. */
export function npm(cwd: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier"];
  return exec("npm", [...args, ...quiet], { cwd });
}

/** Packs this package into a folder, without its scripts, which would build it anew while other tests use it. */
export async function pack(into: string): Promise<string> {
  const { stdout } = await npm(ROOT, "pack", "--ignore-scripts", "--json", "--pack-destination", into);
  return join(into, JSON.parse(stdout)[0].filename);
}
