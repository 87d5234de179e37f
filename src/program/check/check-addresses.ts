/** Addresses of the server: each is bound and closed again. */
import { EXIT, type ListenerConfig } from "../../config/config.js";
import { addressText } from "../../text/address.js";
import { bindTcp } from "../../transport/listening-socket.js";
import { BindError, bindListener } from "../listeners/bind-listeners.js";
import { type AddressFlags, bindAdvice, LISTEN_FLAGS, LISTENER_KEYS } from "../refuse.js";
import type { Finding } from "./finding.js";

/** @param places of the addresses in the configuration file, by name; empty: the only listener comes from the options */
export async function checkAddresses(
  listeners: readonly ListenerConfig[],
  places: ReadonlyMap<string, string>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  // One after another: so each names its own mistake.
  for (const listener of listeners) {
    const what = places.size === 0 ? mainWhat(listener) : `listener ${listener.name}`;
    findings.push(await checkAddress(what, listener, places));
  }
  return findings;
}

function mainWhat({ path }: ListenerConfig): string {
  return path === undefined ? "port" : "socket";
}

async function checkAddress(
  what: string,
  listener: ListenerConfig,
  places: ReadonlyMap<string, string>,
): Promise<Finding> {
  const { name, host, port, path, systemd } = listener;
  if (systemd !== undefined) return { what, verdict: "ok", text: `inherited at start: ${systemd}` };
  if (path === undefined) {
    const flags = places.size === 0 ? LISTEN_FLAGS : LISTENER_KEYS;
    return checkPort(what, host, port, flags, places.get(name));
  }
  try {
    (await bindListener(listener, { inherited: new Map(), places })).close();
    return { what, verdict: "ok", text: `${path} is free` };
  } catch (error) {
    if (!(error instanceof BindError)) throw error;
    return { what, verdict: "wrong", text: error.message, exitCode: error.exitCode };
  }
}

/** @param place in the configuration file; `undefined`: the port is an option */
export async function checkPort(
  what: string,
  host: string,
  port: number,
  flags: AddressFlags,
  place?: string,
): Promise<Finding> {
  try {
    (await bindTcp(host, port)).close();
    return { what, verdict: "ok", text: port === 0 ? "any free port" : `${addressText(host, port)} is free` };
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const advice = bindAdvice(code, host, port, flags) ?? message;
    const text = place === undefined ? advice : `${place}: ${advice}`;
    return { what, verdict: "wrong", text, mend: HELP[code]?.(port), exitCode: EXIT.unavailable };
  }
}

const HELP: Readonly<Record<string, (port: number) => string>> = {
  EADDRINUSE: (port) => `ss -ltnp 'sport = :${port}'   # shows which process holds it`,
  EACCES: (port) =>
    `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${port}   # or choose a port above 1023`,
  EADDRNOTAVAIL: () => "ip -brief address   # lists the addresses of this machine",
};
