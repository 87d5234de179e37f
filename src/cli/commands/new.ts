/** `drover new DIR`: a project of one's own, small enough to read in a minute, that starts and passes its test. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { EXIT } from "../../config/config.js";
import type { Asked } from "../command.js";
import { CommandError } from "../errors.js";
import { starter } from "./starter.js";

export async function create({ positionals: [dir = ""] }: Asked): Promise<string> {
  const folder = resolve(dir);
  const files = Object.entries(starter(packageName(folder)));
  try {
    await mkdir(folder, { recursive: true });
    const present = await readdir(folder);
    if (present.length > 0) throw notEmpty(dir, present);
    // wx: what came into the folder in between is not written over.
    for (const [name, text] of files) await writeFile(join(folder, name), text, { flag: "wx" });
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${dir}: ${reason(error)}`, EXIT.usage);
  }
  const names = files.map(([name]) => `  ${name}\n`).join("");
  return `made ${folder}\n${names}\nnext: cd ${dir} && npm install && npm test && npm start\n`;
}

function notEmpty(dir: string, present: readonly string[]): CommandError {
  const few = present.slice(0, 3).join(", ");
  const more = present.length > 3 ? ", …" : "";
  return new CommandError(
    `${dir} is not empty (${few}${more}): name a folder that is new or empty`,
    EXIT.usage,
  );
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied: choose a folder that you may write to",
  EROFS: "the file system is read-only: choose a folder that you may write to",
  EEXIST: "is a file: name a folder that is new or empty",
  ENOTDIR: "part of that path is a file: name a folder that is new or empty",
};

function reason(error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}

/** What npm takes for the name of a package. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return name === "" || name === "drover" ? "my-server" : name;
}
