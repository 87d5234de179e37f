/** Servers that are running, by the control sockets in one folder: for a command that names another one. */
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { basename, dirname, join } from "node:path";

const ENDING = ".sock";
/** Milliseconds. A server that runs accepts at once. */
const TIMEOUT = 1_000;
/** Sockets that are tried, and names that are shown. */
const MOST_TRIED = 100;
const MOST_SHOWN = 10;

/** @returns their names, as text; empty when none is running */
export async function runningNames(control: string): Promise<string> {
  const names = await running(dirname(control));
  const more = names.length - MOST_SHOWN;
  return [...names.slice(0, MOST_SHOWN), ...(more > 0 ? [`and ${more} more`] : [])].join(", ");
}

async function running(folder: string): Promise<string[]> {
  const paths = filesOf(folder)
    .filter((file) => file.endsWith(ENDING))
    .sort()
    .slice(0, MOST_TRIED)
    .map((file) => join(folder, file));
  const accepted = await Promise.all(paths.map(accepts));
  return paths.filter((_, at) => accepted[at]).map((path) => basename(path, ENDING));
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // No server has run here yet, or the folder belongs to another user.
    return [];
  }
}

/** The file alone proves nothing: a killed server leaves it. */
function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path, signal: AbortSignal.timeout(TIMEOUT) });
    socket.on("connect", () => {
      resolve(true);
      socket.destroy();
    });
    socket.on("error", () => resolve(false));
  });
}
