/**
 * What the compiler has to refuse, and what it has to let pass without an annotation. Nothing here runs:
 * `tsc --noEmit` is the test, and it also fails where an expected error no longer is one.
 */
import {
  call,
  callWithin,
  cast,
  child,
  type Duration,
  defineProtocol,
  dynamicSupervisor,
  genServer,
  lines,
  next,
  type Pid,
  packet,
  type Ref,
  type RefOf,
  type Self,
  start,
  startSupervisor,
  stop,
  supervisor,
  whichChildren,
} from "../../src/index.js";
import { processOf } from "../../src/otp/process/process.js";

// -- servers: state, calls and casts are inferred -------------------------------------------------------

const Counter = genServer({
  name: "counter",
  init: (from: number) => ({ n: from, log: [] as string[] }),
  calls: {
    get: (self) => self.state.n,
    add: (self, k: number) => {
      self.state.n += k;
      return self.state.n;
    },
    describe: async (self, prefix: string, loud?: boolean) => `${prefix}${loud ? "!" : ""}${self.state.n}`,
    leave: (self) => self.stop({ shutdown: "asked" }),
  },
  casts: {
    reset: (self) => {
      self.state.n = 0;
    },
  },
  info: (self, message) => {
    if (typeof message === "string") self.state.log.push(message);
  },
  terminate: (self, reason) => {
    self.state.log.push(String(reason));
  },
});

export async function counters(c: RefOf<typeof Counter>): Promise<void> {
  const n: number = await call(c, "get");
  const sum: number = await call(c, "add", n);
  const text: string = await call(c, "describe", "n = ", true);
  await callWithin("2s", c, "describe", "n = ");
  await callWithin(Infinity, c, "add", sum);
  cast(c, "reset");
  void text;

  // @ts-expect-error wrong argument
  await call(c, "add", "3");
  // @ts-expect-error no argument
  await call(c, "add");
  // @ts-expect-error one argument too many
  await call(c, "get", 1);
  // @ts-expect-error no such call
  await call(c, "sub", 3);
  // @ts-expect-error a cast is no call
  await call(c, "reset");
  // @ts-expect-error a call is no cast
  cast(c, "add", 1);
  // @ts-expect-error no such cast
  cast(c, "clear");
  // @ts-expect-error one argument too many
  cast(c, "reset", 1);
  // @ts-expect-error wrong answer
  const wrong: string = await call(c, "get");
  // @ts-expect-error wrong duration
  await callWithin("2 sec", c, "get");
  // @ts-expect-error no exit reason
  processOf(c)?.receiveExit(c, 7);
  void wrong;
}

// A table that is left out has no entries.
const Silent = genServer({ name: "silent", init: () => ({ n: 0 }) });
const OnlyCasts = genServer({
  name: "only_casts",
  init: () => ({ n: 0 }),
  casts: { poke: (self) => self.state.n++ },
});

export async function silent(s: RefOf<typeof Silent>, o: RefOf<typeof OnlyCasts>): Promise<void> {
  cast(o, "poke");
  // @ts-expect-error it has no calls
  await call(s, "anything");
  // @ts-expect-error it has no casts
  cast(s, "anything");
  // @ts-expect-error it has no calls, only casts
  await call(o, "poke");
}

// -- refs: one server's is not another's ----------------------------------------------------------------

const Gauge = genServer({
  name: "gauge",
  init: () => ({ level: 0.5 }),
  calls: { get: (self) => String(self.state.level) },
});

export async function refs(c: RefOf<typeof Counter>, g: RefOf<typeof Gauge>): Promise<void> {
  const pid: Pid = c;
  const same: Ref<(typeof Counter)["calls"], (typeof Counter)["casts"]> = c;
  const started: RefOf<typeof Gauge> = await start(Gauge, undefined);
  // @ts-expect-error a gauge is no counter
  const other: RefOf<typeof Counter> = g;
  // @ts-expect-error a counter is no gauge
  const another: RefOf<typeof Gauge> = await start(Counter, 1);
  // @ts-expect-error a counter begins with a number
  await start(Counter, "1");
  void [pid, same, started, other, another];
}

// -- init: asynchronous, ignoring, with self ------------------------------------------------------------

genServer({
  name: "slow",
  init: async (n: number) => ({ n }),
  calls: { get: (self) => self.state.n.toFixed() },
});
genServer({
  name: "shy",
  init: async (n: number) => (n > 0 ? { n } : "ignore"),
  calls: { get: (self) => self.state.n.toFixed() },
});
genServer({
  name: "with_self",
  init: (n: number, self: Self<undefined>) => ({ n, me: self.pid }),
  calls: { me: (self) => self.state.me.serial.toFixed() },
});
genServer({
  name: "bad_state",
  init: () => ({ n: 0 }),
  calls: {
    // @ts-expect-error no such field of the state
    get: (self) => self.state.m,
  },
});
// @ts-expect-error a state is an object
genServer({ name: "no_object", init: () => 7 });

// -- trees ----------------------------------------------------------------------------------------------

interface Config {
  readonly port: number;
  readonly maxConnections: number;
  readonly drainTimeout: Duration;
}
const Connections = genServer({ name: "connections", init: (c: Config) => ({ max: c.maxConnections }) });
const Listener = genServer({
  name: "listener",
  init: (c: Config) => ({ port: c.port }),
  calls: { suspend: (self) => self.state.port },
});

export const server = (c: Config) =>
  supervisor("tcp_server", { strategy: "one_for_one", intensity: 5, period: "60s" }, [
    child(Connections, c, { type: "supervisor", shutdown: c.drainTimeout }),
    child(Listener, c, { shutdown: "2s", name: "listener" }),
    dynamicSupervisor("clients", { maxChildren: 10_000, restart: "temporary", shutdown: "2s" }),
    dynamicSupervisor("numbered", {
      start: (_parent, n: number) => (n > 0 ? "ignore" : Promise.resolve("ignore")),
    }),
  ]);

export async function trees(c: Config): Promise<void> {
  const root = await startSupervisor("root", {}, [server(c)]);
  for (const { id, pid, type } of await whichChildren(root)) {
    if (pid !== undefined && pid !== "restarting") console.log(id?.length, pid.serial, type === "worker");
  }
  // @ts-expect-error the counter begins with a number
  child(Counter, "five");
  // @ts-expect-error no such restart type
  child(Counter, 5, { restart: "always" });
  // @ts-expect-error wrong duration
  child(Counter, 5, { shutdown: "2 seconds" });
  // @ts-expect-error the start is the server's
  child(Counter, 5, { start: () => "ignore" });
  // @ts-expect-error no such strategy
  supervisor("s", { strategy: "simple_one_for_one" }, []);
  // @ts-expect-error no such flag
  supervisor("s", { intensty: 5 }, []);
  // @ts-expect-error wrong duration
  supervisor("s", { period: "1 minute" }, []);
  // @ts-expect-error a server is no spec: child(Counter, 5) makes one
  supervisor("s", {}, [Counter]);
  // @ts-expect-error no such option
  dynamicSupervisor("d", { maxChilds: 3 });
}

// -- protocols ------------------------------------------------------------------------------------------

export const a = defineProtocol({
  name: "x",
  framing: lines(),
  initial: "a",
  data: () => ({ n: 0 }),
  states: {
    a: {
      // @ts-expect-error no such state
      frame: (c, line) => {
        line.toUpperCase();
        c.data.n++;
        return next("bb");
      },
    },
    b: {
      frame: (_c, _line) => next("a"),
      // @ts-expect-error lines() sends strings
      enter: (c) => c.send(12),
    },
  },
});

export const b = defineProtocol({
  name: "x",
  framing: packet(2),
  // @ts-expect-error no such state
  initial: "zz",
  states: { a: { frame: (c, f) => c.send(f.subarray(1)) } },
});

export const d = defineProtocol({
  name: "x",
  framing: lines(),
  data: () => ({ n: 1 }),
  states: {
    a: {
      // @ts-expect-error no such state
      timeout: { after: "10s", do: next("zz") },
    },
    b: {
      idle: {
        after: "1m",
        do: (conn) => {
          conn.data.n++;
          conn.send("bye");
          return next("a");
        },
      },
      timeout: { after: "5s", do: stop() },
    },
    c: {
      // @ts-expect-error bad duration
      idle: { after: "10 sec", do: stop() },
    },
  },
});

export const e = defineProtocol({
  name: "x",
  framing: lines(),
  data: () => ({ n: 1 }),
  states: {
    a: {
      idle: {
        after: "1m",
        do: (conn) => {
          // @ts-expect-error no such field
          conn.data.zzz++;
        },
      },
    },
  },
});
