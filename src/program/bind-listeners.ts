/** Binds the listening sockets of all listeners, in their order. */
import { EXIT, type ListenerConfig } from "../config/config.js";
import { adopt, type BoundHandle, bindTcp } from "../transport/listening-socket.js";
import { bindUnix } from "../transport/unix/bind-unix.js";
import { bindAdvice } from "./refuse.js";

/** An address that cannot be bound. */
export class BindError extends Error {
  override readonly name = "BindError";
  readonly exitCode: number;
  constructor(message: string, exitCode: number = EXIT.unavailable) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Errors of a UNIX socket that only another configuration mends. */
const BAD_PATH: readonly string[] = ["ENAMETOOLONG", "EINVAL", "EEXIST"];

/**
 * @param listenFd descriptor of an inherited listening socket: that of the only listener
 * @throws BindError that says what to do; then none is bound
 */
export async function bindListeners(
  listeners: readonly ListenerConfig[],
  listenFd: number | undefined,
): Promise<BoundHandle[]> {
  const bound: BoundHandle[] = [];
  try {
    for (const listener of listeners) bound.push(await bindListener(listener, listenFd));
    return bound;
  } catch (error) {
    for (const one of bound) one.close();
    throw error;
  }
}

/** @throws BindError that says what to do */
export async function bindListener(
  { host, port, path, mode, owner, group }: ListenerConfig,
  listenFd?: number,
): Promise<BoundHandle> {
  try {
    if (listenFd !== undefined) return adopt(listenFd);
    if (path !== undefined) return await bindUnix({ path, mode, owner, group });
    return await bindTcp(host, port);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith("E")) throw error;
    if (path !== undefined)
      throw new BindError(message, BAD_PATH.includes(code) ? EXIT.badConfig : undefined);
    throw new BindError((listenFd === undefined ? bindAdvice(code, host, port) : undefined) ?? message);
  }
}
