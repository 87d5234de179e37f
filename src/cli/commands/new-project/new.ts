/** `drover new DIR`: creates a starter project with a protocol and its test, and files to run it by. */
import { readFileSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT } from "../../../config/config.js";
import type { CommandFlag, Invocation } from "../../command.js";
import { CommandError } from "../../errors.js";
import { dependency } from "./starter-dependency.js";
import { type Deployment, deployFiles } from "./starter-deploy.js";
import { starterProject } from "./starter-project.js";

/** The folder of this package: a clone, or in `node_modules` of the project that has installed it. */
const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
export const NEW_FLAGS: readonly CommandFlag[] = [
  { name: "pm2", sentence: "Also write ecosystem.config.cjs for pm2." },
  { name: "docker", sentence: "Also write a Dockerfile." },
  { name: "systemd", sentence: "Also write a service and a socket unit for systemd." },
];

export async function create({ positionals: [dir = ""], switches }: Invocation): Promise<string> {
  const folder = resolve(dir);
  const name = packageName(folder);
  const wanted = NEW_FLAGS.map((flag) => flag.name).filter((flag) => switches.has(flag)) as Deployment[];
  const deploy = deployFiles(name, wanted, (file) => readFileSync(join(PACKAGE, file), "utf8"));
  const files = Object.entries({ ...starterProject(name, dependency(PACKAGE), wanted), ...deploy });
  try {
    await mkdir(folder, { recursive: true });
    const present = await readdir(folder);
    if (present.length > 0) throw notEmpty(dir, present);
    // wx: a file that another program has created meanwhile is not overwritten.
    for (const [name, text] of files) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text, { flag: "wx" });
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${dir}: ${reason(error)}`, EXIT.usage);
  }
  const names = files.map(([name]) => `  ${name}\n`).join("");
  return `created ${folder}\n${names}\nnext: cd ${dir} && npm install && npm test && npm run dev\n`;
}

function notEmpty(dir: string, present: readonly string[]): CommandError {
  const few = present.slice(0, 3).join(", ");
  const more = present.length > 3 ? ", …" : "";
  return new CommandError(`${dir} is not empty (${few}${more}): choose a new or empty folder`, EXIT.usage);
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied: choose a writable folder",
  EROFS: "the file system is read-only: choose a writable folder",
  EEXIST: "is a file: choose a new or empty folder",
  ENOTDIR: "part of the path is a file: choose a new or empty folder",
};

function reason(error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}

/** Name of the folder as a valid npm package name. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return name === "" || name === "drover" ? "my-server" : name;
}
