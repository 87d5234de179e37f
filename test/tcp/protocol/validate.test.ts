/** A protocol that is wrong is refused before anything starts, with the place and what to write instead. */
import { expect, test } from "vitest";
import { next, packet, serve, stop } from "../../../src/index.js";
import { closeReason } from "../../../src/tcp/observe/counters.js";
import { CompiledProtocol } from "../../../src/tcp/protocol/compiled/compiled-protocol.js";
import { LIMITS } from "../../../src/tcp/protocol/limits.js";
import { validateProtocol } from "../../../src/tcp/protocol/validate/validate.js";

const right = { name: "right", framing: packet(2), states: { ready: {} } };

const wrong: Record<string, [protocol: unknown, says: string]> = {
  "no object": [null, "defineProtocol({ name, framing, states })"],
  "an unknown key": [{ ...right, state: {} }, 'unknown key "state"; the keys are name, framing'],
  "a name that is no word": [{ ...right, name: "a b" }, 'must be a word such as "echo"'],
  "no framing": [{ ...right, framing: "lines" }, "must be packet(2), lines(), raw()"],
  "no states": [{ ...right, states: {} }, "must list at least one state"],
  "a state that is no object": [{ ...right, states: { ready: null } }, "states.ready must be an object"],
  "an initial state that is none": [
    { ...right, initial: "redy" },
    '"initial" names no state: "redy"; the states are ready',
  ],
  "an active that is none": [
    { ...right, active: 0 },
    'must be "once", true, or a whole number from 1 to 32767, got 0',
  ],
  "an unknown event": [
    { ...right, states: { ready: { frames: () => {} } } },
    "unknown key states.ready.frames",
  ],
  "a handler that is none": [
    { ...right, states: { ready: { frame: "x" } } },
    "states.ready.frame must be a function",
  ],
  "a duration that is none": [
    { ...right, states: { ready: { idle: { after: "2 min", do: stop() } } } },
    "states.ready.idle.after:",
  ],
  "a step to nowhere": [
    { ...right, states: { ready: { timeout: { after: 1, do: next("redy") } } } },
    'states.ready.timeout.do names no state: "redy"',
  ],
  "a timeout that does nothing": [
    { ...right, states: { ready: { timeout: { after: 1 } } } },
    'states.ready.timeout.do must be next("state"), stop("reason") or a function',
  ],
  "timers that are no object": [
    { ...right, states: { ready: { timers: stop } } },
    'states.ready.timers must be an object of timers by name, such as { ping: { after: "30s", do: … } }',
  ],
  "a timer whose name is no word": [
    { ...right, states: { ready: { timers: { "to be": stop() } } } },
    `states.ready.timers: a timer's name must be a word such as "ping", got "to be"`,
  ],
  "a timer that does nothing": [
    { ...right, states: { ready: { timers: { ping: "30s" } } } },
    'states.ready.timers.ping must be next("state"), stop("reason") or a function',
  ],
  "a timer with a duration that is none": [
    { ...right, states: { ready: { timers: { ping: { after: "30 s", do: stop() } } } } },
    "states.ready.timers.ping.after: Expected a duration",
  ],
  "a timer that goes nowhere": [
    { ...right, states: { ready: { timers: { ping: { after: 1, do: next("redy") } } } } },
    'states.ready.timers.ping.do names no state: "redy"',
  ],
  "an unknown limit": [
    { ...right, limits: { highwater: 1 } },
    "unknown key limits.highwater; the limits are framesPerTurn",
  ],
  "a limit that is none": [{ ...right, limits: { idle: 0 } }, "limits.idle must be a time above 0"],
  "a limit with a duration that is none": [
    { ...right, limits: { frame: "30 s" } },
    'limits.frame must be a time above 0: milliseconds, or "30s", got "30 s"',
  ],
  "a limit of bytes with a unit": [
    { ...right, limits: { highWater: "64s" } },
    'limits.highWater must be a whole number above 0, got "64s"',
  ],
  "a maximum of workers that is none": [
    { ...right, workers: 0 },
    '"workers" must be a whole number above 0, such as workers: 1, got 0',
  ],
  "limits that contradict each other": [
    { ...right, limits: { highWater: 10 } },
    "must not fall in this order, got 16384, 10 and 1048576",
  ],
};

test.for(Object.entries(wrong))("%s is refused", async ([, [protocol, says]]) => {
  expect(() => validateProtocol(protocol as never)).toThrow(says);
  await expect(serve(protocol as never, { port: 0 })).rejects.toThrow(says);
});

test("what is right passes, events that are undefined included", () => {
  validateProtocol(right);
  validateProtocol({
    ...right,
    initial: "ready",
    active: true,
    limits: { idle: 5 },
    states: { ready: { frame: undefined } },
  } as never);
});

test("ends are counted under a closed list of words, whatever a protocol says", () => {
  expect(closeReason("normal")).toBe("closed");
  expect(closeReason({ shutdown: "idle" })).toBe("idle");
  expect(closeReason({ shutdown: "what the client typed" })).toBe("stopped");
  expect(closeReason({ shutdown: { deep: 1 } })).toBe("stopped");
  expect(closeReason("killed")).toBe("killed");
  expect(closeReason(new Error("x"))).toBe("crash");
  expect(closeReason("badarg")).toBe("crash");
});

const wrongOptions: [options: unknown, says: string][] = [
  [undefined, "serve: the options must be an object such as { port: 0 }, got undefined"],
  [{}, 'serve: "port" is missing: give a whole number from 0 (any free port) to 65535'],
  [
    { port: 0, hots: "::1" },
    'serve: unknown option "hots"; the options are port, host, path, mode, owner, group, maxConnections, whenFull, allow, deny, maxPerAddress, addressRate, addressBan, acceptRate, backlog, transport, proxy, tls, alpn, idleTimeout, shutdown, options',
  ],
  [{ port: "80" }, 'serve: "port" must be a whole number from 0 (any free port) to 65535, got "80"'],
  [{ port: 0, host: 1 }, 'serve: "host" must be an address or host name such as "127.0.0.1", got 1'],
  [
    { port: 0, maxConnections: 0 },
    'serve: "maxConnections" must be a whole number above 0, or Infinity, got 0',
  ],
  [{ port: 0, backlog: 1.5 }, 'serve: "backlog" must be a whole number from 1 to 65535, got 1.5'],
  [{ port: 0, transport: {} }, 'serve: "transport" must be "auto", "handle" or "stream", got object'],
  [
    { port: 0, tls: true },
    'serve: "tls" must be an object such as { cert: "srv.crt", key: "srv.key" }, got boolean',
  ],
  [{ port: 0, tls: { cert: "a" } }, 'serve: "tls.key" is missing: give the path of a PEM file, or PEM text'],
  [{ port: 0, tls: { cert: "a", key: 7 } }, 'serve: "tls.key" must be the path of a PEM file, or PEM text'],
  [
    { port: 0, tls: { cert: "a", key: "b", more: [{ cert: "c", key: "d", name: "e" }] } },
    'serve: unknown option "tls.more[0].name"; the options are cert, key, passphraseFile, names',
  ],
  [
    { port: 0, tls: { cert: "a", key: "b", clientCerts: true } },
    'serve: "tls.clientCerts" must be "none" or "optional" or "required"',
  ],
  [
    { port: 0, shutdown: "2 min" },
    'serve: "shutdown" must be milliseconds, a duration such as "2s", or Infinity, got "2 min"',
  ],
];

test.each(wrongOptions)("serve refuses the options %j, and says what to write", async (options, says) => {
  await expect(serve(right as never, options as never)).rejects.toThrow(new TypeError(says));
});

test("a limit that is a time may have a unit", () => {
  const protocol = { ...right, limits: { frame: "30s", handler: "1.5m", idle: Infinity, send: 70 } };
  validateProtocol(protocol as never);
  const { limits } = new CompiledProtocol(protocol as never);
  expect(limits).toEqual({ ...LIMITS, frame: 30_000, handler: 90_000, idle: Infinity, send: 70 });
});
