// The options of the command: one table, from which they are read, refused and explained.
import { KIND_NAMES, KINDS } from "../both-sides/client-mix.js";
import { DEFAULTS } from "../both-sides/options.js";
import { FRAMINGS } from "../generator/client/frame-ring.js";

export const MODES = {
  echo: "closed loop: the next frame is sent when an earlier one is back",
  rate: "open loop: frames are due at fixed times, latency counts from then",
  connect: "connections a second: connect, one echo, close, again",
  idle: "hold connections, echo on some of them in turn and at the end on all",
  mixed: "well- and ill-behaved clients at once (--mix)",
  ramp: "open loop, faster and faster until --until breaks: the capacity",
} as const;

export type ModeName = keyof typeof MODES;
export const MODE_NAMES = Object.keys(MODES) as ModeName[];

interface Flag {
  takes: string;
  /** What is taken without the option; also what an example shows. */
  or: string;
  help: string;
  /** The only modes in which it means something. */
  modes?: readonly ModeName[];
}

export const TABLE = {
  mode: { takes: "NAME", or: "echo", help: MODE_NAMES.join(", ") },
  host: { takes: "NAME", or: DEFAULTS.host, help: "where the server listens" },
  port: { takes: "PORT", or: "2222", help: "" },
  target: { takes: "LIST", or: "", help: "several servers in place of host and port: HOST:PORT,HOST:PORT" },
  connections: {
    takes: "N",
    or: `${DEFAULTS.connections}`,
    help: "opened before the first frame; at once, in mode connect",
  },
  window: { takes: "N", or: "", help: "frames in flight on each connection (1; 1024 at a fixed rate)" },
  size: { takes: "BYTES", or: `${DEFAULTS.size}`, help: "payload of a frame; 16k is 16384" },
  framing: { takes: "NAME", or: DEFAULTS.framing, help: Object.keys(FRAMINGS).join(", ") },
  rate: {
    takes: "N",
    or: "",
    help: "frames a second over all connections; in mode connect, connections",
    modes: ["rate", "connect", "idle", "mixed"],
  },
  duration: { takes: "TIME", or: "5s", help: "such as 500ms, 5s, 2m; no limit if only --frames is given" },
  warmup: {
    takes: "TIME",
    or: "500ms",
    help: "load before it, verified but not measured; none with --frames",
  },
  frames: {
    takes: "N",
    or: "",
    help: "stop after so many frames (connections), over all connections",
    modes: ["echo", "rate", "connect"],
  },
  mix: { takes: "SHARES", or: "", help: "such as pingers=60,bulk=10,idle=30; see below", modes: ["mixed"] },
  "bulk-size": {
    takes: "BYTES",
    or: "16k",
    help: "payload of bulk clients and slow readers",
    modes: ["mixed"],
  },
  "no-echo": { takes: "", or: "", help: "connect and close, with no frame between", modes: ["connect"] },
  from: { takes: "N", or: "1000", help: "the first rate, frames a second", modes: ["ramp"] },
  until: {
    takes: "LIST",
    or: "p99<10ms,errors=0",
    help: "what must hold at a rate, as in --expect",
    modes: ["ramp"],
  },
  "reply-timeout": { takes: "TIME", or: "5s", help: "a connection that waits longer for an echo is hung" },
  "connect-timeout": { takes: "TIME", or: "10s", help: "" },
  reset: { takes: "", or: "", help: "end connections with a reset: no port stays in TIME_WAIT" },
  source: { takes: "BLOCK", or: "", help: "source addresses in turn, such as 127.0.0.0/8" },
  tls: { takes: "", or: "", help: "speak TLS" },
  ca: { takes: "FILE", or: "", help: "PEM of the authority to trust instead of the system's" },
  insecure: { takes: "", or: "", help: "accept a certificate that cannot be verified" },
  proxy: { takes: "VERSION", or: "", help: "send a PROXY header first: v1 or v2" },
  processes: {
    takes: "N",
    or: "auto",
    help: "generator processes; auto: as many as connections and cores call for",
  },
  admin: { takes: "URL", or: "", help: "the server's admin address: its CPU, memory and counts" },
  expect: { takes: "LIST", or: "", help: "such as 'p99<5ms,errors=0,rate>50000': ends with 1 if one fails" },
  json: { takes: "", or: "", help: "print the result as JSON" },
  html: { takes: "FILE", or: "", help: "write the result as one page to look at" },
  help: { takes: "", or: "", help: "print this" },
} as const satisfies Record<string, Flag>;

export type Name = keyof typeof TABLE;
export const NAMES = Object.keys(TABLE) as Name[];

export function flag(name: Name): Flag {
  return TABLE[name];
}

const EXAMPLES = [
  "npm run load -- --window 16                                  as fast as it goes, 16 frames in flight",
  "npm run load -- --mode rate --rate 20000 --admin http://127.0.0.1:9464 --html load.html",
  "npm run load -- --mode ramp --until 'p99<5ms,errors=0'       how many frames a second",
  "npm run load -- --mode idle --connections 50000              how many connections",
  "npm run load -- --mode connect --connections 50              how many new ones a second",
];

export function helpText(): string {
  const rows = NAMES.map((name) => {
    const { takes, or, help } = flag(name);
    const standard = or && `${help ? " " : ""}(${or})`;
    return `  ${`--${name} ${takes}`.padEnd(24)}${help}${standard}`;
  });
  return [
    "npm run load -- [options]",
    "",
    "Puts load on an echo server, verifies every byte that comes back, and tells the truth about it.",
    "",
    ...rows,
    "",
    "Modes:",
    ...MODE_NAMES.map((name) => `  ${name.padEnd(24)}${MODES[name]}`),
    "",
    "Clients of --mix:",
    ...KIND_NAMES.map((name) => `  ${name.padEnd(24)}${KINDS[name]}`),
    "",
    "Examples:",
    ...EXAMPLES.map((example) => `  ${example}`),
    "",
    "Ends with 0 if there was no error and all that was expected held, 1 if not, 64 if it was called wrongly.",
    "Ctrl-C ends it early, with the result so far.",
    "",
  ].join("\n");
}
