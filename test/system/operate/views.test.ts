/** Views of the built program through real workers: lists, state of processes, traces, history, events. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, listenTo, post } from "../../admin/support.js";
import { series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { isStopped } from "../../support/os-processes.js";
import { endAll, serveProtocol } from "../../support/program.js";
import { eventually, until } from "../../support/until.js";

const PROTOCOL = `
import { defineProtocol, next, packet } from "drover";
export default defineProtocol({
  name: "desk",
  framing: packet(2),
  data: () => ({ name: "nobody", asked: 0 }),
  states: {
    new: {
      frame: (conn, frame) => {
        conn.data.asked++;
        conn.data.name = String(frame);
        if (conn.data.name === "crash") throw new Error("as told");
        conn.send(String(conn.pid));
        if (conn.data.name !== "stay") return next("known");
      },
    },
    known: { frame: (conn, frame) => conn.send(frame) },
  },
});
`;

async function desk(...args: string[]) {
  const served = await serveProtocol("desk.ts", PROTOCOL, args);
  const clients: { client: FrameClient; pid: string }[] = [];
  /** Connects clients until there are this many, at least one in every worker. */
  const fill = async (count: number) => {
    const workers = () => new Set(clients.map(({ pid }) => pid.split(".")[0])).size;
    while (clients.length < count || workers() < 2) {
      const client = await FrameClient.connect(served.port);
      const pid = await client.ask(clients.length % 2 === 0 ? "ann" : "stay");
      clients.push({ client, pid: String(pid) });
    }
    return clients;
  };
  return { ...served, fill, get: (path: string) => ask({ port: served.adminPort }, { path }) };
}

/** OS pid of the worker of this process. */
async function osPidOf(pid: string, get: (path: string) => Promise<{ json: any }>): Promise<number> {
  const { json } = await get("/info");
  return json.workers.find(({ worker }: { worker: number }) => pid.startsWith(`<${worker}.`)).osPid;
}

describe("of one server, in order:", () => {
  let shared: Awaited<ReturnType<typeof desk>>;
  beforeAll(async () => {
    shared = await desk();
  });
  afterAll(endAll);

  test("connections of all workers come in one list, sorted, filtered and cut", async () => {
    const { fill, get } = shared;
    const clients = await fill(8);
    const list = async (query = "") => (await get(`/connections?${query}`)).json;
    const { total, matched, rows, missing } = await list();
    expect([total, matched, missing]).toEqual([clients.length, clients.length, []]);
    const serials = rows.map(({ pid }: { pid: string }) => pid.slice(1, -1).split(".").map(Number));
    const sorted = [...serials].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    expect(serials).toEqual(sorted);
    expect(rows[0]).toMatchObject({
      state: expect.stringMatching(/^(new|known)$/),
      ...{ framesReceived: 1, framesSent: 1, outbound: 0, messageQueueLength: 0 },
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    });

    const known = await list("state=known&sort=peer&order=desc");
    const peers = known.rows.map(({ peer }: { peer: string }) => peer);
    expect([known.total, known.matched]).toEqual([
      clients.length,
      clients.filter((_, at) => at % 2 === 0).length,
    ]);
    expect(peers).toEqual([...peers].sort().reverse());

    const one = await list("worker=1&limit=1&sort=ageMs&order=desc");
    expect([one.rows.length, one.rows[0].worker]).toEqual([1, 1]);
    expect((await list(`peer=${encodeURIComponent(peers[0])}`)).matched).toBe(1);
    expect((await list("peer=10.")).matched).toBe(0);
    expect((await list("worker=9")).rows).toEqual([]);
  });

  test("the tree says how many connections are in each state, without listing them", async () => {
    const { fill, get } = shared;
    const clients = await fill(4);
    const { json } = await get("/tree?connections=0");
    const states = json.children
      .filter(({ kind }: { kind: string }) => kind === "worker")
      .map(({ children: [server] }: any) => server.children[0].states);
    const sum = (state: string) => states.reduce((all: number, one: any) => all + (one[state] ?? 0), 0);
    expect(sum("known") + sum("new")).toBe(clients.length);
  });

  test("a process shows its data, in whatever OS process it runs", async () => {
    const { fill, get } = shared;
    for (const { pid } of await fill(2)) {
      const { json } = await get(`/state/${encodeURIComponent(pid)}`);
      expect(json).toMatchObject({
        pid,
        name: "desk",
        data: expect.stringMatching(/^\{ name: '\w+', asked: 1 \}$/),
      });
      expect(json.status).toMatchObject({ status: "running", framesReceived: 1 });
    }
    expect((await get("/state/0.2")).json.name).toBe("admin");
    expect((await get("/state/1.1")).json.name).toBe("worker 1");
    expect((await get("/state/1.99999")).status).toBe(404);
    expect((await get("/state/9.9")).status).toBe(404);
  });

  test("a worker that is stopped holds up no answer, and is named", async () => {
    const { fill, get, program, adminPort } = shared;
    const clients = await fill(4);
    const { pid } = clients[0]!;
    const worker = Number(pid.slice(1).split(".")[0]);
    const osPid = await osPidOf(pid, get);
    process.kill(osPid, "SIGSTOP");
    try {
      await eventually(() => isStopped(osPid));
      const [list, state, trace, info, stats] = await Promise.all([
        get("/connections"),
        get(`/state/${pid}`),
        get(`/trace/${pid}`),
        get(`/info/${pid}`),
        get("/stats"),
      ]);
      expect([list.status, list.json.missing]).toEqual([200, [worker]]);
      expect(list.json.total).toBeLessThan(clients.length);
      for (const { status, json } of [state, trace, info]) {
        expect([status, json]).toEqual([503, { error: `worker ${worker} does not answer`, worker }]);
      }
      expect(stats.json.workers).toHaveLength(2);
    } finally {
      process.kill(osPid, "SIGCONT");
    }
    // The trace that began when the worker woke up was ended at once: a new trace has no second subscriber.
    await eventually(async () => (await get("/connections")).json.total === clients.length);
    const heard = await listenTo({ port: adminPort }, `/trace/${pid}`);
    await clients[0]!.client.ask("again");
    await until(() => heard.events.length === 2);
    expect(program.over).toBe(false);
  });

  test("a trace follows a connection through its life, and ends with it", async () => {
    const { port, adminPort } = shared;
    const client = await FrameClient.connect(port);
    const pid = String(await client.ask("stay"));
    const heard = await listenTo({ port: adminPort }, `/trace/${pid}`);
    await client.ask("ann");
    await client.ask("\x1b[2J");
    client.socket.end();
    await until(() => heard.ended);
    const lines = heard.events.map(({ data: { at: _at, ...line } }) => line);
    const hex = (text: string) => Buffer.from(text).toString("hex");
    expect(lines).toEqual([
      { pid, what: "frame_in", state: "new", length: 3, hex: hex("ann"), text: "ann" },
      { pid, what: "frame_out", state: "new", length: pid.length, hex: hex(pid), text: pid },
      { pid, what: "state", state: "known", text: "from new" },
      { pid, what: "frame_in", state: "known", length: 4, hex: hex("\x1b[2J"), text: "\\x1b[2J" },
      { pid, what: "frame_out", state: "known", length: 4, hex: hex("\x1b[2J"), text: "\\x1b[2J" },
      { pid, what: "event", state: "known", text: "ended" },
      { pid, what: "end", text: "normal" },
    ]);
  });

  test("a worker that dies ends the traces of its processes", async () => {
    const { fill, get, adminPort } = shared;
    const { pid } = (await fill(2))[0]!;
    const heard = await listenTo({ port: adminPort }, `/trace/${pid}`);
    process.kill(await osPidOf(pid, get), "SIGKILL");
    await until(() => heard.ended);
    expect(heard.events.map(({ data: { what, text } }) => [what, text])).toEqual([
      ["end", "the worker has ended"],
    ]);
  });
});

describe("of a server whose workers die, in order:", () => {
  let shared: Awaited<ReturnType<typeof desk>>;
  beforeAll(async () => {
    shared = await desk("--handler-latency=on");
  });
  afterAll(endAll);

  /** Kills a worker and waits until all run again. */
  async function kill(): Promise<void> {
    const { get, program } = shared;
    const { restarts } = (await get("/stats")).json.totals;
    process.kill(program.workers()[0] as number, "SIGKILL");
    await eventually(async () => {
      const { totals, workers } = (await get("/stats")).json;
      return totals.restarts === restarts + 1 && workers.every(({ state }: any) => state === "running");
    });
  }

  test("the history has what was before the first request, also what a worker that died had counted", async () => {
    const { fill, get } = shared;
    const clients = await fill(4);
    const rows = async () => {
      const { columns, rows } = (await get("/history")).json;
      return rows
        .filter((row: unknown) => row !== null)
        .map((row: number[]) =>
          Object.fromEntries(columns.map((name: string, at: number) => [name, row[at]])),
        );
    };
    await eventually(async () => (await rows()).at(-1).framesReceived === clients.length);
    await kill();
    await eventually(async () => (await rows()).at(-1).restarts === 1);
    const told = await rows();
    expect(told[0]).toMatchObject({ active: 0, accepted: 0, restarts: 0 });
    expect(Math.max(...told.map(({ active }: { active: number }) => active))).toBe(clients.length);
    const received = told.map(({ framesReceived }: { framesReceived: number }) => framesReceived);
    expect(received).toEqual(received.toSorted((a: number, b: number) => a - b));
    const { from, everyMs } = (await get("/history")).json;
    expect(from + (told.length - 1) * everyMs).toBeLessThanOrEqual(Date.now());
  });

  test("--handler-latency=on measures handlers, and keeps what ended workers had measured", async () => {
    const { get, port } = shared;
    const count = async () => series((await get("/metrics")).text, "drover_handler_seconds_count") ?? 0;
    const { text } = await get("/metrics");
    const before = series(text, "drover_handler_seconds_count") ?? 0;
    // Each frame has run a handler. The end of a connection is an event too.
    expect(before).toBeGreaterThanOrEqual(series(text, "drover_frames_received_total") ?? 0);
    const clients = await Promise.all(Array.from({ length: 4 }, () => FrameClient.connect(port)));
    for (const client of clients) await client.ask("ann");
    await eventually(async () => (await count()) === before + clients.length);
    await kill();
    expect(await count()).toBeGreaterThanOrEqual(before + clients.length);
    for (const client of clients) client.end();
  });

  test("log records of workers are sent while they happen, and warnings also to clients that come later", async () => {
    const { port, adminPort, control, program } = shared;
    await post({ socketPath: control }, "/log", { level: "error" });
    // What was written before has been read when this line has.
    await program.line(({ audit }) => audit === "log");
    const before = program.lines.length;
    const heard = await listenTo({ port: adminPort }, "/events");
    await until(() => heard.events.length > 0);
    const client = await FrameClient.connect(port);
    client.send("crash");
    await client.closed;
    const records = (of: typeof heard) =>
      of.events.filter(({ event }) => event === "record").map(({ data }) => data);
    await until(() => records(heard).some(({ report }) => report === "crash"));
    const crash = records(heard).find(({ report }) => report === "crash");
    const line = await program.line(({ report }) => report === "crash");
    expect(crash).toEqual(line);

    const later = await listenTo({ port: adminPort }, "/events");
    await until(() => records(later).some(({ report }) => report === "crash"));
    // Level info, whatever the log level; also from a worker that started during the subscription.
    const [worker] = program.workers();
    process.kill(worker as number, "SIGKILL");
    await until(
      () => records(later).filter(({ level, state }) => level === "info" && state === "listening").length > 0,
    );
    // The audit line of the change of the level is written at every level.
    const told = program.lines.slice(before).filter(({ level, audit }) => level === "info" && !audit);
    expect(told).toEqual([]);
  });
});
