/** Why the program does not go on, in one line, with what to type instead. */
import { addressText } from "../text/address.js";

/** What to type instead. */
export function bindAdvice(code: string, host: string, port: number): string | undefined {
  const place = addressText(host, port);
  if (code === "EADDRINUSE")
    return `${place} is taken by another program: stop that one, or choose another --port`;
  if (code === "EACCES")
    return `no right to bind ${place}: ports below 1024 need root, so choose another --port`;
  if (code === "EADDRNOTAVAIL") return `${place} is no address of this machine: choose another --host`;
  return undefined;
}

/** Says in one line why the program does not go on. @returns the exit code */
export function refuse(code: number, message: string): number {
  process.stderr.write(`drover: ${message}\n`);
  return code;
}
