/** Compiled, not run: what the compiler knows of options, of what a worker opens, and of children. */
import * as v from "valibot";
import {
  become,
  child,
  connect,
  counter,
  defineProtocol,
  gauge,
  genServer,
  histogram,
  lines,
  next,
  serve,
  stop,
} from "../../../src/index.js";

class Pool {
  readonly size: number;
  constructor(url: string, size: number) {
    this.size = size + url.length;
  }
  async query(text: string): Promise<string[]> {
    return [text];
  }
  async end(): Promise<void> {}
}

const flusher = genServer({ name: "flusher", init: (pool: Pool) => pool });

/** Nothing is annotated. */
export const tracker = defineProtocol({
  name: "tracker",
  framing: lines(),
  options: v.object({ database: v.string(), batch: v.optional(v.number(), 100) }),
  worker: {
    start: async ({ options }) => new Pool(options.database, options.batch),
    stop: (pool, { options }) => (options.batch > 0 ? pool.end() : undefined),
  },
  children: ({ options, worker }) => [child(flusher, worker, { id: options.database })],
  data: (peer, { options, worker }) => ({ at: peer.port, left: options.batch, size: worker.size }),
  states: {
    open: {
      frame: async (conn, line) => {
        const rows: string[] = await conn.worker.query(line);
        const batch: number = conn.options.batch;
        conn.send(`${rows.length} of ${batch}, ${conn.data.left}`);
        // @ts-expect-error no such option
        void conn.options.btch;
        // @ts-expect-error a string
        const wrong: number = conn.options.database;
        void wrong;
      },
      timeout: { after: "1s", do: (conn) => void conn.worker.query(conn.options.database) },
    },
  },
  terminate: async (conn) => void (await conn.worker.query("end")),
});

void serve(tracker, { port: 0, options: { database: "x" } });
// @ts-expect-error no such option
void serve(tracker, { port: 0, options: { databse: "x" } });
// @ts-expect-error a string
void connect(tracker, { port: 1, options: { database: 1 } });

/** Without a start that waits, and without options. */
export const counting = defineProtocol({
  name: "counting",
  framing: lines(),
  worker: { start: () => new Map<string, number>() },
  data: (_peer, { worker }) => worker.size,
  states: {
    open: {
      frame: (conn, line) => {
        conn.worker.set(line, conn.data);
        // @ts-expect-error it has none
        void conn.options.any;
        return become(tracker);
      },
    },
  },
  becomes: () => [tracker],
});

defineProtocol({
  name: "plain",
  framing: lines(),
  states: {
    open: {
      enter: (conn) => {
        const none: undefined = conn.worker;
        void none;
      },
    },
  },
});

// @ts-expect-error not a schema
defineProtocol({ name: "wrong", framing: lines(), options: { batch: 1 }, states: { open: {} } });

export const counted = defineProtocol({
  name: "counted",
  framing: lines(),
  metrics: {
    logins: counter("Logins by result", { result: ["ok", "bad"] }),
    open: gauge("Open sessions"),
    rows: histogram("Rows of a batch", [1, 10, 100], { table: ["a", "b"] }),
  },
  reasons: ["no_login", "bad_crc"],
  worker: { start: ({ metrics }) => metrics.logins.of({ result: "ok" }) },
  states: {
    open: {
      frame: (conn, line) => {
        conn.metrics.logins.inc({ result: "ok" });
        conn.metrics.logins.inc({ result: line === "" ? "bad" : "ok" }, 2);
        conn.worker.inc();
        conn.metrics.open.set(4);
        conn.metrics.rows.observe({ table: "a" }, 17);
        // @ts-expect-error no such value
        conn.metrics.logins.inc({ result: "maybe" });
        // @ts-expect-error it has a label
        conn.metrics.logins.inc();
        // @ts-expect-error it has none
        conn.metrics.open.set({ result: "ok" }, 4);
        // @ts-expect-error no such metric
        conn.metrics.login.inc({ result: "ok" });
        return line === "" ? stop("bad_crc") : stop("idle");
      },
      timeout: { after: "5s", do: stop("no_login") },
      idle: { after: "5s", do: (conn) => (conn.outbound > 0 ? stop(new Error("lost")) : stop()) },
    },
    other: { enter: async (conn) => (conn.outbound > 0 ? next("open") : stop("no_login")) },
  },
});

defineProtocol({
  name: "wrong",
  framing: lines(),
  reasons: ["no_login", "bad_crc"],
  states: {
    open: {
      // @ts-expect-error not one of its reasons
      ended: () => stop("no_logn"),
    },
    other: {
      // @ts-expect-error not one of its reasons
      timeout: { after: "5s", do: stop("no_logn") },
    },
  },
});
