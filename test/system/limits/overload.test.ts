/** A worker with too little memory or a lagging event loop: it stops accepting, closes connections, and lives. */
import { afterAll, expect, test } from "vitest";
import { FrameClient } from "../../support/frames.js";
import { endAll, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/**
 * `hold N`, `leak N`: so many MiB, of the connection or for ever; `block N`: so many milliseconds; `settle N`: answers after
 * so many, in which the worker has looked at its memory. Answers its OS pid.
 */
const BUSY = `
import { defineProtocol, packet } from "drover";
const leaked: Buffer[] = [];
export default defineProtocol({
  name: "busy",
  framing: packet(2),
  data: () => ({ held: [] as Buffer[] }),
  states: {
    ready: {
      frame: async (conn, frame) => {
        const [what, text] = String(frame).split(" ");
        const n = Number(text);
        if (what === "block") for (const end = Date.now() + n; Date.now() < end; );
        else if (what === "settle") await new Promise((resolve) => setTimeout(resolve, n));
        else for (let mib = 0; mib < n; mib++)
          (what === "leak" ? leaked : conn.data.held).push(Buffer.alloc(1 << 20, 1));
        conn.send(String(process.pid));
      },
    },
  },
});
`;

/** A busy machine neither lags too much nor kills where memory is what counts. */
const PATIENT = ["--max-lag=60s", "--watchdog=0"];

interface Worker {
  readonly worker: number;
  readonly state: string;
  readonly overload: readonly string[];
  readonly active: number;
  readonly accepted: number;
  readonly closed: number;
}

function admin(port: number) {
  const get = async (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  return {
    ready: async () => (await get("/ready")).json() as Promise<Record<string, unknown>>,
    stats: async () => (await get("/stats")).json() as Promise<{ workers: Worker[]; closedBy: object }>,
    /** The value of the series that begins so. */
    metric: async (series: string) => {
      const line = (await (await get("/metrics")).text()).split("\n").find((one) => one.startsWith(series));
      return Number(line?.slice(line.lastIndexOf(" ") + 1));
    },
  };
}

// They wait for collections of garbage, and for multiples of the time that these take: on a busy machine for long.
test.concurrent("memory above --max-memory: the worker accepts no more, closes the longest idle, and goes on with the others", async () => {
  const args = ["--workers=1", "--max-memory=160M", ...PATIENT];
  const { program, port, adminPort } = await serveProtocol("busy.ts", BUSY, args);
  const { ready, stats, metric } = admin(adminPort);
  const idle = await FrameClient.connect(port);
  const osPid = await idle.ask("hold 60");
  // On a busy machine the memory is free some rounds after its connection was told to end: these are closed meanwhile.
  const spare = await Promise.all(Array.from({ length: 8 }, () => FrameClient.connect(port)));
  for (const client of spare) await client.ask("hold 0");
  const honest = await FrameClient.connect(port);
  await honest.ask("hold 1");
  const last = await FrameClient.connect(port);
  await last.ask("hold 60");

  // Above 100 %: it closes the longest idle, which frees 60 MiB, and accepts again.
  const entered = await program.line((line) => line.overload === "memory");
  expect(entered.msg).toMatch(/^Overloaded: 1\d\d MiB of memory are in use, --max-memory is 160 MiB: /);
  await program.line((line) => /closing connections until/.test(line.msg));
  await eventually(() => idle.isClosed);
  expect(await honest.ask("hold 0")).toBe(osPid);
  await program.line((line) => /^No longer overloaded \(memory\): accepting again/.test(line.msg));
  const next = await FrameClient.connect(port);
  expect(await next.ask("hold 0")).toBe(osPid);
  const healthy = await eventually(async () => {
    const answer = await ready();
    return answer.ok === true && answer;
  });
  expect(healthy.overloaded).toBeUndefined();

  const series = 'drover_connections_closed_total{worker="1",listener="main",reason="overload"}';
  await eventually(async () => (await metric(series)) >= 1);
  expect(await metric("drover_accept_paused_seconds_total")).toBeGreaterThan(0);
  const [worker] = (await stats()).workers;
  expect(worker?.accepted).toBe((worker?.active ?? 0) + (worker?.closed ?? 0));
  expect(program.lines.filter((line) => line.report !== undefined)).toEqual([]);
});

test.concurrent("near --max-memory no connection is closed, new clients wait, and /ready, tree and metrics say why", async () => {
  const args = ["--workers=1", "--max-memory=200M", ...PATIENT];
  const { program, port, adminPort } = await serveProtocol("busy.ts", BUSY, args);
  const { ready, stats, metric } = admin(adminPort);
  const client = await FrameClient.connect(port);
  // A worker without connections has about 55 MiB.
  await client.ask("hold 110");
  for (let n = 0; n < 25 && !program.lines.some((line) => line.overload === "memory"); n++) {
    await client.ask("hold 4");
    await client.ask("settle 250");
  }
  await eventually(async () => (await stats()).workers[0]?.state === "overloaded");
  expect(await ready()).toMatchObject({
    ok: false,
    status: "no worker is accepting: all are overloaded",
    overloaded: [{ worker: 1, causes: ["memory"] }],
  });
  expect(await metric('drover_overloaded{worker="1",cause="memory"}')).toBe(1);
  expect(await metric('drover_overloaded{worker="1",cause="lag"}')).toBe(0);
  const waits = await FrameClient.connect(port);
  const answer = waits.ask("hold 0");
  expect(await client.ask("hold 0")).toMatch(/^\d+$/);
  expect((await stats()).workers[0]).toMatchObject({ accepted: 1, active: 1, overload: ["memory"] });
  client.end();
  expect(await answer).toMatch(/^\d+$/);
});

/** Sends 12 MiB for each frame, and takes no further one until they have been read. */
const LARGE = `
import { defineProtocol, packet } from "drover";
const text = "x".repeat(60_000);
export default defineProtocol({
  name: "large",
  framing: packet(2),
  limits: { lowWater: 1 << 20, highWater: 10 << 20, maxOutbound: 64 << 20 },
  states: {
    ready: {
      frame: (conn, frame) => {
        if (String(frame) === "all") for (let n = 0; n < 200; n++) conn.send(text);
        else conn.send(String(process.pid));
      },
    },
  },
});
`;

test.concurrent("clients that ask and never read, above --max-memory: those that hold the most are closed, and who reads goes on", async () => {
  const args = ["--workers=1", "--max-memory=150M", ...PATIENT];
  const { program, port, adminPort } = await serveProtocol("large.ts", LARGE, args);
  const { metric } = admin(adminPort);
  // The longest idle of all: it holds nothing.
  const honest = await FrameClient.connect(port);
  const osPid = await honest.ask("who");
  const deaf = await Promise.all(Array.from({ length: 10 }, () => FrameClient.connect(port)));
  for (const client of deaf) {
    client.socket.pause();
    for (let n = 0; n < 10; n++) client.send("all");
  }
  await program.line((line) => line.overload === "memory");
  await program.line((line) => /connections closed for want of memory/.test(line.msg));
  expect(await honest.ask("who")).toBe(osPid);
  const series = 'drover_connections_closed_total{worker="1",listener="main",reason="overload"}';
  await eventually(async () => (await metric(series)) >= 1);
  expect(honest.isClosed).toBe(false);
  expect(program.workers().map(String)).toEqual([osPid]);
  expect(program.lines.filter((line) => line.report !== undefined)).toEqual([]);
  for (const client of [...deaf, honest]) client.end();
}, 240_000);

test.concurrent("an event loop that lags above --max-lag: new clients wait until it is quick again, and nothing is killed", async () => {
  const args = ["--workers=1", "--max-lag=150ms"];
  const { program, port, adminPort } = await serveProtocol("busy.ts", BUSY, args);
  const client = await FrameClient.connect(port);
  const osPid = await client.ask("block 0");
  // It lags without a pause until the late client has been seen to wait: a slow machine would miss a short one.
  let [asked, blocking] = [0, true];
  const blocked = (async () => {
    for (; blocking; asked++) await client.ask("block 300");
  })();
  const overloaded = await program.line((line) => line.overload === "lag");
  expect(overloaded.msg).toMatch(/^Overloaded: event loop blocked for \d+ ms at a time, --max-lag is 150 ms/);
  const late = await FrameClient.connect(port);
  const answer = late.ask("block 0");
  const connected = asked;
  await eventually(() => asked > connected + 1);
  expect((await admin(adminPort).stats()).workers[0]).toMatchObject({ accepted: 1 });
  blocking = false;
  await blocked;
  expect(await answer).toBe(osPid);
  await program.line((line) => /^No longer overloaded \(event loop\)/.test(line.msg));
});
