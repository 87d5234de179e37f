/** Options of `serve`, validated like a protocol: every error names the option and what to write instead. */
import { type Duration, toMs } from "../otp/time/duration.js";

export interface ServeOptions {
  /** TCP port; 0 for any free one. */
  readonly port: number;
  /** Address or host name to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Maximum number of connections; a client above it is closed at once. Default 10,000. */
  readonly maxConnections?: number;
  /** Length of the kernel's accept queue. Default 1024. */
  readonly backlog?: number;
  /** Default `"auto"`: `handle` (node's raw handles) on Node majors where it is tested and works, else `stream`. */
  readonly transport?: "auto" | "handle" | "stream";
  /** Time a connection has to finish when the server stops. Default `"2s"`. */
  readonly shutdown?: Duration;
}

interface Rule {
  readonly expected: string;
  allows(value: unknown): boolean;
}

const whole = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

const RULES: { readonly [K in keyof Required<ServeOptions>]: Rule } = {
  port: {
    expected: "a whole number from 0 (any free port) to 65535",
    allows: (value) => whole(value, 0, 65_535),
  },
  host: {
    expected: 'an address or host name such as "127.0.0.1"',
    allows: (value) => typeof value === "string" && value !== "",
  },
  maxConnections: {
    expected: "a whole number above 0, or Infinity",
    allows: (value) => value === Infinity || whole(value, 1, Number.MAX_SAFE_INTEGER),
  },
  backlog: { expected: "a whole number from 1 to 65535", allows: (value) => whole(value, 1, 65_535) },
  transport: {
    expected: '"auto", "handle" or "stream"',
    allows: (value) => value === "auto" || value === "handle" || value === "stream",
  },
  shutdown: { expected: 'milliseconds, a duration such as "2s", or Infinity', allows: isDuration },
};

/** @throws TypeError that names the first mistake and what to write instead */
export function validateServeOptions(options: ServeOptions): void {
  if (typeof options !== "object" || options === null)
    wrong(`the options must be an object such as { port: 0 }, got ${shown(options)}`);
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(RULES, key))
      wrong(`unknown option "${key}"; the options are ${Object.keys(RULES).join(", ")}`);
    const { expected, allows } = RULES[key as keyof ServeOptions];
    if (value !== undefined && !allows(value)) wrong(`"${key}" must be ${expected}, got ${shown(value)}`);
  }
  if (options.port === undefined) wrong(`"port" is missing: give ${RULES.port.expected}`);
}

function wrong(what: string): never {
  throw new TypeError(`serve: ${what}`);
}

function isDuration(value: unknown): boolean {
  try {
    return value === Infinity || toMs(value as Duration) >= 0;
  } catch {
    return false;
  }
}

function shown(value: unknown): string {
  if (typeof value === "number" || value === undefined) return String(value);
  return typeof value === "string" ? JSON.stringify(value) : value === null ? "null" : typeof value;
}
