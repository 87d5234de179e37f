/** One-line errors of a start that fails. */
import { addressText } from "../text/address.js";

/** Why an address cannot be bound, and what to do. `undefined`: another error. */
export function bindAdvice(code: string, host: string, port: number): string | undefined {
  const place = addressText(host, port);
  if (code === "EADDRINUSE") return `${place} is taken by another program: stop it, or choose another --port`;
  if (code === "EACCES")
    return `permission denied to bind ${place}: ports below 1024 need root, so choose another --port`;
  if (code === "EADDRNOTAVAIL") return `${place} is not an address of this machine: choose another --host`;
  return undefined;
}

/** Prints the error to standard error. @returns the exit code */
export function refuse(code: number, message: string): number {
  process.stderr.write(`drover: ${message}\n`);
  return code;
}
