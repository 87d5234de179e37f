// Parsers for the values of options. An error is one line that says what to type instead.
import { readFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import { KIND_NAMES, type Kind, type Mix } from "../both-sides/client-mix.js";
import type { Source, Target } from "../both-sides/options.js";
import { flag, type Name } from "./flags.js";

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const LONGEST_MS = 7 * 24 * UNITS.h!;

export class UsageError extends Error {}

function example(name: Name): string {
  return flag(name).or || "1000";
}

export function whole(name: Name, text: string, least: number, most: number): number {
  const [, digits, unit = ""] = /^(\d+)([km]?)$/.exec(text) ?? [];
  const allowed = name === "size" || name === "bulk-size" || unit === "";
  const value = Number(digits) * (unit === "k" ? 1024 : unit === "m" ? 1024 ** 2 : 1);
  if (allowed && value >= least && value <= most) return value;
  throw new UsageError(
    `--${name} ${text} is not a whole number from ${least} to ${most}: type --${name} ${example(name)}`,
  );
}

export function time(name: Name, text: string, leastMs = 1): number {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (number === "0" && leastMs === 0) return 0;
  if (number && !unit) throw new UsageError(`--${name} ${text} has no unit: type --${name} ${text}s`);
  const ms = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (ms >= leastMs && ms <= LONGEST_MS) return ms;
  throw new UsageError(`--${name} ${text} is not a time from 1ms to 168h: type --${name} ${example(name)}`);
}

export function oneOf<T extends string>(name: Name, text: string, known: readonly T[]): T {
  const found = known.find((value) => value === text);
  if (found) return found;
  throw new UsageError(`--${name} ${text} is unknown: type --${name} with ${known.join(", ")}`);
}

export function targets(text: string): Target[] {
  return text.split(",").map((part) => {
    const [, host = "", digits] =
      /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(part)?.filter((group) => group) ?? [];
    const port = Number(digits);
    if (host && port >= 1 && port <= 65_535) return { host, port };
    throw new UsageError(`--target ${part} is not HOST:PORT: type --target 127.0.0.1:2222,127.0.0.1:2223`);
  });
}

export function source(text: string): Source {
  const [address = "", bits = "32"] = text.split("/");
  if (!isIPv4(address) || !/^\d+$/.test(bits) || Number(bits) < 8 || Number(bits) > 32) {
    throw new UsageError(`--source ${text} is not a block of IPv4 addresses: type --source 127.0.0.0/8`);
  }
  const size = 2 ** (32 - Number(bits));
  const value = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const base = Math.floor(value / size) * size;
  // The first and the last address of a block are its network and broadcast address.
  return size > 2 ? { first: base + 1, count: size - 2 } : { first: base, count: size };
}

export function mix(text: string): Mix {
  const shares = text.split(",").map((part): [Kind, number] => {
    const [name = "", number = ""] = part.split("=");
    if (!/^\d+(\.\d+)?$/.test(number)) {
      throw new UsageError(`--mix ${part} is not a share: type --mix pingers=60,bulk=10,idle=30`);
    }
    return [oneOf("mix", name, KIND_NAMES), Number(number)];
  });
  if (shares.some(([, share]) => share > 0)) return Object.fromEntries(shares);
  throw new UsageError(`--mix ${text} has no clients: type --mix pingers=60,bulk=10,idle=30`);
}

export function file(name: Name, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`--${name} ${path} cannot be read: ${(error as Error).message}`);
  }
}

export function address(name: Name, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url.origin;
  throw new UsageError(`--${name} ${text} is not an address: type --${name} http://127.0.0.1:9464`);
}
