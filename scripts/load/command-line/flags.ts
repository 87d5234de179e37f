// Options of `npm run load`: one table for parsing, error messages and the help text.
import { KIND_NAMES, KINDS } from "../both-sides/client-mix.js";
import { FRAMINGS } from "../both-sides/framing.js";
import { DEFAULTS } from "../both-sides/options.js";

export const MODES = {
  echo: "closed loop: send the next frame when an earlier one is echoed",
  rate: "open loop: send frames at fixed times; latency counts from the time a frame was due",
  connect: "connections per second: connect, one echo, close, repeat",
  idle: "hold connections, echo on some of them in turn and on all at the end",
  mixed: "well-behaved and ill-behaved clients together (--mix)",
  ramp: "find the capacity: open loop at rising rates until a condition of --until fails",
} as const;

export type ModeName = keyof typeof MODES;
export const MODE_NAMES = Object.keys(MODES) as ModeName[];

interface Flag {
  takes: string;
  /** The default; also the example in error messages. */
  or: string;
  help: string;
  /** The modes in which the option has an effect; all if absent. */
  modes?: readonly ModeName[];
}

export const TABLE = {
  mode: { takes: "NAME", or: "echo", help: MODE_NAMES.join(", ") },
  host: { takes: "NAME", or: DEFAULTS.host, help: "address of the server" },
  port: { takes: "PORT", or: "2222", help: "port of the server" },
  target: {
    takes: "LIST",
    or: "",
    help: "several servers instead of --host and --port: HOST:PORT,HOST:PORT",
  },
  connections: {
    takes: "N",
    or: `${DEFAULTS.connections}`,
    help: "opened before the first frame; mode connect: open at the same time",
  },
  window: { takes: "N", or: "", help: "frames in flight per connection (default 1; open loop 1024)" },
  size: { takes: "BYTES", or: `${DEFAULTS.size}`, help: "payload of a frame; 16k is 16384 bytes" },
  framing: { takes: "NAME", or: DEFAULTS.framing, help: Object.keys(FRAMINGS).join(", ") },
  rate: {
    takes: "N",
    or: "",
    help: "frames per second over all connections; mode connect: connections per second",
    modes: ["rate", "connect", "idle", "mixed"],
  },
  duration: { takes: "TIME", or: "5s", help: "such as 500ms, 5s, 2m; unlimited if only --frames is given" },
  warmup: {
    takes: "TIME",
    or: "500ms",
    help: "load before the measurement, verified but not measured; 0 with --frames",
  },
  frames: {
    takes: "N",
    or: "",
    help: "stop after this many frames over all connections; mode connect: connections",
    modes: ["echo", "rate", "connect"],
  },
  mix: {
    takes: "SHARES",
    or: "",
    help: "shares of the kinds of clients, such as pingers=60,bulk=10,idle=30; see below",
    modes: ["mixed"],
  },
  "bulk-size": {
    takes: "BYTES",
    or: "16k",
    help: "payload of bulk and slow clients",
    modes: ["mixed"],
  },
  "no-echo": { takes: "", or: "", help: "connect and close without sending a frame", modes: ["connect"] },
  from: { takes: "N", or: "1000", help: "first rate, in frames per second", modes: ["ramp"] },
  until: {
    takes: "LIST",
    or: "p99<10ms,errors=0",
    help: "conditions that a rate must meet, as in --expect",
    modes: ["ramp"],
  },
  "reply-timeout": {
    takes: "TIME",
    or: "5s",
    help: "a connection that waits longer for an echo counts as hung",
  },
  "connect-timeout": { takes: "TIME", or: "10s", help: "a connect that takes longer fails" },
  reset: { takes: "", or: "", help: "close connections with a reset, so that no port stays in TIME_WAIT" },
  source: { takes: "BLOCK", or: "", help: "source addresses to use in turn, such as 127.0.0.0/8" },
  tls: { takes: "", or: "", help: "connect with TLS" },
  ca: {
    takes: "FILE",
    or: "",
    help: "PEM file of the certificate authority to trust instead of the system's",
  },
  insecure: { takes: "", or: "", help: "do not verify the certificate" },
  proxy: { takes: "VERSION", or: "", help: "send a PROXY protocol header first: v1 or v2" },
  processes: {
    takes: "N",
    or: "auto",
    help: "generator processes; auto: by connections, cores and file limit",
  },
  admin: { takes: "URL", or: "", help: "admin address of the server, to report its CPU, memory and counts" },
  expect: {
    takes: "LIST",
    or: "",
    help: "exit with 1 unless all hold, such as 'p99<5ms,errors=0,rate>50000'",
  },
  json: { takes: "", or: "", help: "print the result as JSON" },
  html: { takes: "FILE", or: "", help: "write the result as an HTML page with charts" },
  help: { takes: "", or: "", help: "print this" },
} as const satisfies Record<string, Flag>;

export type Name = keyof typeof TABLE;
export const NAMES = Object.keys(TABLE) as Name[];

export function flag(name: Name): Flag {
  return TABLE[name];
}

const EXAMPLES = [
  "npm run load -- --window 16                                  maximum throughput, 16 frames in flight",
  "npm run load -- --mode rate --rate 20000 --admin http://127.0.0.1:9464 --html load.html",
  "npm run load -- --mode ramp --until 'p99<5ms,errors=0'       how many frames per second",
  "npm run load -- --mode idle --connections 50000              how many connections",
  "npm run load -- --mode connect --connections 50              how many new connections per second",
];

export function helpText(): string {
  const rows = NAMES.map((name) => {
    const { takes, or, help } = flag(name);
    const standard = or && `${help ? " " : ""}(default ${or})`;
    return `  ${`--${name} ${takes}`.padEnd(24)}${help}${standard}`;
  });
  return [
    "npm run load -- [options]",
    "",
    "Load generator for an echo server. Verifies every echoed byte, measures latency and throughput.",
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
    "Exit codes: 0 no errors and all of --expect held, 1 otherwise, 64 usage, 69 the admin address does not answer.",
    "Ctrl-C ends the run early and prints the result so far.",
    "",
  ].join("\n");
}
