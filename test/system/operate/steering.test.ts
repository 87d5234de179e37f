/** Commands that change the running program: suspend, resume, drain, scale, log. Two programs: of two workers, and of one. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, post } from "../../admin/support.js";
import { http, metricNow } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { isStopped } from "../../support/os-processes.js";
import { endAll, type LogLine, Program, run, type Served, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/** Stops on `bye`; sends `goodbye` at shutdown; after `stay` it uses its whole shutdown time. */
const GUEST = `
import { defineProtocol, next, packet, stop } from "drover";
export default defineProtocol({
  name: "guest",
  framing: packet(2),
  data: () => ({ stays: false }),
  states: {
    talking: {
      frame: (conn, frame) => {
        const word = String(frame);
        if (word === "bye") return stop("bye");
        if (word === "stay") conn.data.stays = true;
        conn.send(frame);
      },
      shutdown: (conn) => {
        conn.send("goodbye");
        if (conn.data.stays) return next("staying");
      },
    },
    staying: { frame: (conn, frame) => conn.send(frame) },
  },
});
`;

const guests = (...args: string[]) => serveProtocol("guest.ts", GUEST, args);

const drover = ({ control }: Served, ...line: string[]) => run([...line, "--control", control]);
const json = async (served: Served, ...line: string[]) =>
  JSON.parse((await drover(served, ...line, "--json")).stdout);

/** What `drover suspend` asks, without the start of a command: for what is asked again and again. */
async function suspend({ control }: Served): Promise<string[]> {
  const { json } = await post({ socketPath: control }, "/suspend", {});
  return json.map(({ state }: { state: string }) => state).sort();
}

/** What `drover scale` and `drover resume` ask, likewise. */
const scale = ({ control }: Served, workers: number) => post({ socketPath: control }, "/scale", { workers });
const resume = ({ control }: Served) => post({ socketPath: control }, "/resume", {});

const tree = async ({ control }: Served) => (await ask({ socketPath: control }, { path: "/tree" })).text;

async function ready({ adminPort }: Served): Promise<string> {
  const { status, body } = await http(adminPort, "/ready");
  return `${status} ${JSON.parse(body).status}`;
}

function metric({ adminPort }: Served, name: string, labels = {}): Promise<number | undefined> {
  return metricNow(adminPort, name, labels);
}

const active = (served: Served, connections: number) =>
  eventually(async () => (await metric(served, "drover_connections_active")) === connections);

/** Clients that have been greeted. */
async function greeted(port: number, count: number): Promise<FrameClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => FrameClient.connect(port)));
  await Promise.all(clients.map((client) => client.ask("hello")));
  return clients;
}

/** Connects and asks, without waiting for the answer. */
async function knock(port: number): Promise<{ client: FrameClient; answer: Promise<string> }> {
  const client = await FrameClient.connect(port);
  return { client, answer: client.ask("knock") };
}

/** Each test leaves a program of two workers that accept, without connections; the last one ends it. */
describe("two workers", () => {
  let served: Served;
  beforeAll(async () => {
    served = await guests("--shutdown=1s");
  });

  test("suspended, clients wait and none is refused; resumed, all are served; open connections go on", async () => {
    const { port } = served;
    const [before] = (await greeted(port, 1)) as [FrameClient];
    const { code, stdout } = await drover(served, "suspend");
    expect([code, stdout]).toEqual([0, "worker 1  main  suspended\nworker 2  main  suspended\n"]);
    expect(await ready(served)).toBe("503 suspended");
    const waiting = await Promise.all(Array.from({ length: 20 }, () => knock(port)));
    expect(await before.ask("still here")).toBe("still here");
    expect(await metric(served, "drover_connections_accepted_total")).toBe(1);
    expect((await drover(served, "resume", "main")).stdout).toBe(
      "worker 1  main  running\nworker 2  main  running\n",
    );
    expect(await Promise.all(waiting.map(({ answer }) => answer))).toEqual(Array(20).fill("knock"));
    await eventually(async () => (await ready(served)) === "200 ready");
    for (const { client } of waiting) client.end();
    before.end();
  });

  test("a stopped worker does not hold up the others, and suspends when it goes on", async () => {
    const [first] = served.program.workers() as [number];
    process.kill(first, "SIGSTOP");
    await eventually(() => isStopped(first));
    const states = (await json(served, "suspend")).map(({ state }: { state: string }) => state);
    expect(states.sort()).toEqual(["not answering", "suspended"]);
    process.kill(first, "SIGCONT");
    await eventually(async () => String(await suspend(served)) === "suspended,suspended");
    await resume(served);
    await eventually(async () => (await ready(served)) === "200 ready");
  });

  test("a listener that does not exist is refused with the name of the one there is", async () => {
    expect(await drover(served, "suspend", "mian")).toMatchObject({
      code: 69,
      stderr: 'no listener "mian": there is main\n',
    });
    expect(await ready(served)).toBe("200 ready");
  });

  test("a drain waits for all connections and ends with 0; resume accepts again", async () => {
    const { port, control } = served;
    await active(served, 0);
    const clients = await greeted(port, 4);
    const draining = new Program(["drain", "--control", control]);
    await draining.until(() => /draining: \d of 4 connections left, deadline in \d+s/.test(draining.stdout));
    expect(await ready(served)).toBe("503 draining");
    const late = await knock(port);
    for (const client of clients) client.send("bye");
    expect(await draining.exited).toEqual({ code: 0, signal: null });
    expect(draining.stdout).toMatch(/\ndrained: all 4 connections finished\n$/);
    expect(await ready(served)).toBe("503 drained");
    expect(await json(served, "drain")).toMatchObject({ status: "drained", before: 4, active: 0, cut: 0 });
    await resume(served);
    expect(await late.answer).toBe("knock");
    late.client.end();
  });

  test("Ctrl-C ends the watching, not the drain", async () => {
    await active(served, 0);
    const [client] = (await greeted(served.port, 1)) as [FrameClient];
    const watching = new Program(["drain", "--control", served.control]);
    await watching.until(() => watching.stdout.includes("draining: 1 of 1"));
    watching.signal("SIGINT");
    expect(await watching.exited).toEqual({ code: 130, signal: null });
    expect(watching.stdout).toMatch(/the drain continues: `drover drain` shows its progress/);
    expect(await ready(served)).toBe("503 draining");
    client.end();
    await eventually(async () => (await ready(served)) === "503 drained");
    await resume(served);
  });

  test("a worker that is restarted lets its connections finish while the other one accepts; alone, it tells them at once", async () => {
    const { program, port } = served;
    await active(served, 0);
    const clients = await greeted(port, 20);
    const of = async (worker: number) =>
      (await json(served, "connections")).rows.filter((row: { worker: number }) => row.worker === worker)
        .length;
    const before = program.workers();
    const mine = await of(1);
    const restarting = drover(served, "restart", "1", "--deadline=60s");
    await eventually(async () => (await tree(served)).includes("suspended"));
    const { client, answer } = await knock(port);
    expect(await answer).toBe("knock");
    expect(await drover(served, "restart", "2")).toMatchObject({
      code: 69,
      stderr: "a restart of worker 1 is under way: ask again after it\n",
    });
    for (const one of [...clients, client]) one.send("bye");
    const osPid = (text: string) => Number(/OS process (\d+)/.exec(text)?.[1]);
    const { stdout } = await restarting;
    expect(stdout).toMatch(new RegExp(`^worker 1 restarted .*; 0 of ${mine} connections? told to stop\n$`));
    expect(program.workers().sort()).toEqual([osPid(stdout), ...before.slice(1)].sort());
    expect(await metric(served, "drover_supervisor_restarts_total")).toBe(0);
    expect(await metric(served, "drover_restarts_left", { supervisor: "drover" })).toBe(5);
    await eventually(async () => (await ready(served)) === "200 ready");

    await scale(served, 1);
    const [last] = (await greeted(port, 1)) as [FrameClient];
    expect((await drover(served, "restart", "1")).stdout).toMatch(/; 1 of 1 connection told to stop\n$/);
    await last.closed;
    expect(String(last.frames.at(-1))).toBe("goodbye");
    const { answer: next, client: another } = await knock(port);
    expect(await next).toBe("knock");
    another.end();
    expect((await drover(served, "restart", "2")).stderr).toBe("no worker 2: there is worker 1\n");
    const restarts = () => program.lines.filter(({ audit }) => audit === "restart");
    // Its line may be read after its answer.
    await program.until(() => restarts().length >= 4);
    expect(restarts().map(({ result }) => result)).toEqual(["refused", "ok", "ok", "refused"]);
  });

  test("a connection that is open at the deadline is listed, says goodbye, and is killed after its shutdown time", async () => {
    await active(served, 0);
    const [polite, stubborn] = (await greeted(served.port, 2)) as [FrameClient, FrameClient];
    await stubborn.ask("stay");
    const { code, stdout } = await drover(served, "drain", "--deadline", "200ms");
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /drained: 2 of 2 connections did not finish before the deadline and were told to stop/,
    );
    expect(stdout.match(/<\d\.\d+> +talking +127\.0\.0\.1:\d+ +age/g)).toHaveLength(2);
    expect((await polite.receive()).toString()).toBe("goodbye");
    expect((await stubborn.receive()).toString()).toBe("goodbye");
    await Promise.all([polite.closed, stubborn.closed]);
    expect(await drover(served, "stop")).toMatchObject({ code: 0, stdout: "stopped\n" });
    expect(await served.program.exited).toEqual({ code: 0, signal: null });
  });
});

/** Connection limit of each worker. */
async function shares(served: Served): Promise<number[]> {
  const texts = (await tree(served)).matchAll(/"\d+ of (\d+), temporary/g);
  return [...texts].map(([, most]) => Number(most));
}

async function visit(port: number): Promise<void> {
  const [client] = (await greeted(port, 1)) as [FrameClient];
  client.send("bye");
  await client.closed;
}

/** Each test leaves a program without connections. */
describe("one worker, and a limit of 40 connections", () => {
  const LIMIT = 40;
  let served: Served;
  beforeAll(async () => {
    served = await guests("--workers=1", `--max-connections=${LIMIT}`);
  });

  test("more workers serve at once, fewer drain the highest, and no total falls", async () => {
    const { program, port } = served;
    expect((await drover(served, "scale", "3")).stdout).toBe("3 workers, previously 1\n");
    expect(program.workers()).toHaveLength(3);
    // As many as --max-connections, so that every worker has some.
    const clients = await greeted(port, LIMIT);
    await active(served, LIMIT);
    expect(await shares(served)).toEqual([14, 13, 13]);
    const scaling = drover(served, "scale", "1");
    await eventually(async () => (await tree(served)).includes("suspended"));
    expect(await drover(served, "scale", "2")).toMatchObject({
      code: 69,
      stderr: "scaling from 3 to 1 workers is under way: ask again after it\n",
    });
    for (const client of clients) client.send("bye");
    expect((await scaling).stdout).toBe("1 worker, previously 3\n");
    expect(program.workers()).toHaveLength(1);
    expect(await metric(served, "drover_connections_accepted_total")).toBe(LIMIT);
    expect(await metric(served, "drover_worker_up", { worker: "3" })).toBeUndefined();
    await eventually(async () => String(await shares(served)) === `${LIMIT}`);
    expect(await metric(served, "drover_restarts_left", { supervisor: "drover" })).toBe(5);
    expect(await metric(served, "drover_supervisor_restarts_total")).toBe(0);
    expect((await drover(served, "scale", "2")).code).toBe(0);
    expect(await metric(served, "drover_connections_accepted_total")).toBe(LIMIT);
    expect((await drover(served, "scale", "0")).code).toBe(64);
  });

  test("while workers come and go, there are never more connections than the limit allows", async () => {
    const { port } = served;
    let [open, most, over] = [0, 0, false];
    let fill = () => {};
    const full = new Promise<void>((resolve) => {
      fill = resolve;
    });
    const guest = async (): Promise<void> => {
      const [client] = (await greeted(port, 1)) as [FrameClient];
      most = Math.max(most, ++open);
      if (open >= LIMIT) fill();
      await full;
      // Long enough that all places are taken, and not all of the processor, while workers start.
      await new Promise((resolve) => setTimeout(resolve, 200));
      await client.ask("hello");
      open--;
      client.send("bye");
      await client.closed;
      if (!over) await guest();
    };
    const crowd = Array.from({ length: 2 * LIMIT }, guest);
    await full;
    for (const workers of [4, 1, 3, 1]) await scale(served, workers);
    over = true;
    await Promise.all(crowd);
    expect(most).toBe(LIMIT);
    expect(await metric(served, "drover_connections_refused_total")).toBe(0);
  });

  test("the log level changes in every OS process at once, also in those that start later", async () => {
    const { program, port } = served;
    expect((await drover(served, "log")).stdout).toBe("info\n");
    expect(await drover(served, "log", "debug")).toMatchObject({ code: 0, stdout: "debug\n" });
    const closed = (worker: number) => (line: LogLine) => {
      return line.level === "debug" && line.worker === worker && /closed/.test(line.msg);
    };
    // A worker may get the level after a client.
    await eventually(async () => {
      await visit(port);
      return program.lines.some(closed(1));
    });
    await scale(served, 2);
    await eventually(async () => {
      await visit(port);
      return program.lines.some(closed(2));
    });
    await scale(served, 1);
    expect((await drover(served, "log", "warn")).stdout).toBe("warn\n");
    expect(await json(served, "log")).toEqual({ level: "warn" });
    expect(await drover(served, "log", "wran")).toMatchObject({
      code: 64,
      stderr: expect.stringContaining("warn"),
    });
  });

  test("a worker that starts while suspended comes up suspended", async () => {
    const { program, port } = served;
    await suspend(served);
    const [old] = program.workers() as [number];
    process.kill(old, "SIGKILL");
    await eventually(() => program.workers().length === 1 && program.workers()[0] !== old);
    await eventually(async () => String(await suspend(served)) === "suspended");
    expect((await drover(served, "tree")).stdout).toMatch(
      new RegExp(`listener .*127\\.0\\.0\\.1:${port} suspended`),
    );
    const { answer, client } = await knock(port);
    expect(await json(served, "tree")).toMatchObject({ children: [{}, { state: "running" }] });
    expect(client.frames).toEqual([]);
    await drover(served, "resume");
    expect(await answer).toBe("knock");
    client.end();
  });
});
