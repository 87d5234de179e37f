/** One-line errors of a start that fails. */
import { addressText } from "../text/address.js";
import { portHolderText } from "./port-holder.js";

/** Flags that choose an address. */
export type AddressFlags = { readonly host: string; readonly port: string };

export const LISTEN_FLAGS: AddressFlags = { host: "--host", port: "--port" };
/** Of a listener in a configuration file. */
export const LISTENER_KEYS: AddressFlags = { host: "host", port: "port" };
export const ADMIN_FLAGS: AddressFlags = { host: "--admin-host", port: "--admin-port" };

/** Why an address cannot be bound, and what to do. `undefined`: another error. */
export function bindAdvice(
  code: string,
  host: string,
  port: number,
  flags: AddressFlags = LISTEN_FLAGS,
): string | undefined {
  const place = addressText(host, port);
  switch (code) {
    case "EADDRINUSE":
      return `${place} is taken by another program: stop it, or choose another ${flags.port}${portHolderText(port)}`;
    case "EACCES":
      return `permission denied to bind ${place}: ports below 1024 need root, so choose another ${flags.port}`;
    case "EADDRNOTAVAIL":
      return `${place} is not an address of this machine: choose another ${flags.host}`;
    case "ENOTFOUND":
      return `the host name ${host} has no address: choose another ${flags.host}`;
    case "EAI_AGAIN":
      return `the host name ${host} cannot be resolved now: try again, or give an IP address as ${flags.host}`;
    default:
      return undefined;
  }
}

/** Prints the error to standard error. @returns the exit code */
export function refuse(code: number, message: string): number {
  process.stderr.write(`drover: ${message}\n`);
  return code;
}
