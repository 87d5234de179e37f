/** Detects a running program by its control socket. The file alone proves nothing: a killed program leaves it. */
import { NOT_LISTENING, readBody, sendRequest } from "../../control/http-client.js";
import { AdminError } from "../errors.js";

/** A program that accepts connections on a control socket. */
export interface Instance {
  /** `undefined`: it gave no valid answer. */
  readonly osPid: number | undefined;
  readonly name: string | undefined;
}

/** Milliseconds. */
const TIMEOUT = 5_000;
const MAX_ANSWER = 1024 * 1024;

/**
 * @returns `undefined` when no program listens there
 * @throws AdminError when this user may not connect
 */
export async function probeInstance(socketPath: string): Promise<Instance | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT);
    const response = await sendRequest({ socketPath, path: "/info", signal });
    const info: unknown = JSON.parse(await readBody(response, MAX_ANSWER));
    const { osPid, name } = (info ?? {}) as Record<string, unknown>;
    return {
      osPid: typeof osPid === "number" ? osPid : undefined,
      name: typeof name === "string" ? name : undefined,
    };
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (NOT_LISTENING.includes(code)) return undefined;
    if (code === "EACCES") {
      throw new AdminError(
        code,
        `control socket ${socketPath}: permission denied: it belongs to another user`,
      );
    }
    // The connection was accepted: a program that is blocked, too busy, or no drover, but alive.
    return { osPid: undefined, name: undefined };
  }
}

/** Error of a start while another instance is running. */
export function alreadyRunning(socketPath: string, instance: Instance): AdminError {
  const { name, osPid } = instance;
  const holder = name === undefined ? "another program" : `drover "${name}"`;
  const as = osPid === undefined ? "" : ` as OS process ${osPid}`;
  const advice = "stop it with `drover stop`, or start this one with another --name";
  return new AdminError("already_running", `${holder} is already running${as} at ${socketPath}: ${advice}`);
}
