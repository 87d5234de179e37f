/** Binds the listening sockets of all listeners, in their order. */
import { EXIT, type ListenerConfig } from "../../config/config.js";
import { adopt, type BoundHandle, bindTcp } from "../../transport/listening-socket.js";
import { bindUnix } from "../../transport/unix/bind-unix.js";
import { bindAdvice, LISTEN_FLAGS, LISTENER_KEYS } from "../refuse.js";

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

export interface Addresses {
  /** Descriptors of inherited sockets, by name of the listener. */
  readonly inherited: ReadonlyMap<string, number>;
  /** Places in the configuration file, by name of the listener; empty: the only listener comes from the options. */
  readonly places: ReadonlyMap<string, string>;
}

/** @throws BindError that names the listener and says what to do; then none is bound */
export async function bindListeners(
  listeners: readonly ListenerConfig[],
  addresses: Addresses,
): Promise<BoundHandle[]> {
  const bound: BoundHandle[] = [];
  try {
    for (const listener of listeners) bound.push(await bindListener(listener, addresses));
    return bound;
  } catch (error) {
    for (const one of bound) one.close();
    throw error;
  }
}

/** @throws BindError that names the listener and says what to do */
export async function bindListener(
  listener: ListenerConfig,
  { inherited, places }: Addresses,
): Promise<BoundHandle> {
  const fd = inherited.get(listener.name);
  try {
    return fd === undefined ? await bindAddress(listener) : adopt(fd);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith("E")) throw error;
    const place = places.get(listener.name);
    const prefix = place === undefined ? "" : `${place}: listener ${listener.name}: `;
    const { path, host, port } = listener;
    if (fd !== undefined) throw new BindError(`${prefix}${message}`, EXIT.badConfig);
    if (path !== undefined)
      throw new BindError(`${prefix}${message}`, BAD_PATH.includes(code) ? EXIT.badConfig : undefined);
    const advice = bindAdvice(code, host, port, place === undefined ? LISTEN_FLAGS : LISTENER_KEYS);
    throw new BindError(`${prefix}${advice ?? message}`);
  }
}

function bindAddress({ host, port, path, mode, owner, group }: ListenerConfig): Promise<BoundHandle> {
  return path === undefined ? bindTcp(host, port) : bindUnix({ path, mode, owner, group });
}
