/** Asks whoever holds a control socket who it is. A socket file proves nothing: a killed program leaves one. */
import { request } from "node:http";
import { AdminError } from "../errors.js";

/** A living program at a control socket. */
export interface Instance {
  /** `undefined`: it lives, but gave no answer that we understand. */
  readonly osPid: number | undefined;
  readonly name: string | undefined;
}

const PATIENCE = 5_000;
const MOST_CHARACTERS = 1024 * 1024;

/**
 * `undefined`: nobody is there.
 * @throws AdminError when the path cannot even be asked
 */
export async function probeInstance(socketPath: string): Promise<Instance | undefined> {
  try {
    const info: unknown = JSON.parse(await get(socketPath, "/info"));
    const { osPid, name } = (info ?? {}) as Record<string, unknown>;
    return {
      osPid: typeof osPid === "number" ? osPid : undefined,
      name: typeof name === "string" ? name : undefined,
    };
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (DEAD.includes(code)) return undefined;
    if (code === "EACCES") {
      throw new AdminError(
        code,
        `control socket ${socketPath}: permission denied: it belongs to another user`,
      );
    }
    // Somebody took the connection: hung, too busy, or no drover at all, but alive.
    return { osPid: undefined, name: undefined };
  }
}

/** Errors of `connect` when nobody listens. EINVAL and ENAMETOOLONG: no socket can have such a path. */
const DEAD = ["ENOENT", "ECONNREFUSED", "ENOTDIR", "ENOTSOCK", "EINVAL", "ENAMETOOLONG"];

/** The refusal to start beside a living instance. */
export function alreadyRunning(socketPath: string, instance: Instance): AdminError {
  const { name, osPid } = instance;
  const who = name === undefined ? "another program" : `drover "${name}"`;
  const as = osPid === undefined ? "" : ` as OS process ${osPid}`;
  const advice = "stop it with `drover stop`, or give this one another --name";
  return new AdminError("already_running", `${who} is already running${as} at ${socketPath}: ${advice}`);
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, agent: false, timeout: PATIENCE }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > MOST_CHARACTERS) asking.destroy(new Error("the answer does not end"));
      });
      response.on("error", reject);
      response.on("end", () => resolve(text));
    });
    asking.on("timeout", () => asking.destroy(new Error("no answer")));
    asking.on("error", reject);
    asking.end();
  });
}
