/** --max-connections is exact: never one connection more, none refused, all served in time. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { post } from "../../admin/support.js";
import { http, metric, metricNow, metricsNow, series } from "../../support/admin-http.js";
import { Client } from "../../support/client.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, run, type Served, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

describe("20 connections over two workers, in order:", () => {
  let shared: Served;
  beforeAll(async () => {
    shared = await serveProgram(["--max-connections=20", "--workers=2"]);
  });
  afterAll(endAll);

  const quiet = () =>
    eventually(async () => (await metricNow(shared.adminPort, "drover_connections_active")) === 0);

  test("--max-connections 20 with 60 clients: at most 20 are served at a time, all 60 are, none is refused", async () => {
    const { port, adminPort } = shared;
    let here = 0;
    let come = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    const visit = async (name: number): Promise<void> => {
      const client = await FrameClient.connect(port);
      expect(await client.ask(`client ${name}`)).toBe(`client ${name}`);
      most = Math.max(most, ++here);
      // Each client stays until 20 are connected: three rounds for 60 clients.
      if (++come % 20 === 0) for (const go of waiting.splice(0)) go();
      else await new Promise<void>((go) => waiting.push(go));
      for (let n = 0; n < 20; n++) expect(await client.ask(`more ${n}`)).toBe(`more ${n}`);
      here--;
      client.socket.end();
      await client.closed;
    };
    await Promise.all(Array.from({ length: 60 }, (_, name) => visit(name)));
    expect(most).toBe(20);
    const metrics = await eventually(async () => {
      const { body } = await http(adminPort, "/metrics");
      return series(body, "drover_connections_closed_total") === 60 && body;
    });
    expect(series(metrics, "drover_connections_accepted_total")).toBe(60);
    expect(series(metrics, "drover_connections_refused_total")).toBe(0);
  });

  test.runIf(process.env.TRANSPORT !== "stream")(
    "at the limit workers accept one client after the other although the primary is stopped",
    async () => {
      const { program, port, adminPort } = shared;
      const accepted = async () => (await metricNow(adminPort, "drover_connections_accepted_total")) ?? 0;
      await quiet();
      const before = await accepted();
      const held = await Promise.all(Array.from({ length: 20 }, () => FrameClient.connect(port)));
      for (const client of held) expect(await client.ask("held")).toBe("held");
      program.signal("SIGSTOP");
      // Many more than there are copies of the listening socket in reserve.
      for (let n = 0; n < 40; n++) {
        const next = await FrameClient.connect(port);
        const answer = next.ask(`visit ${n}`);
        held.shift()?.end();
        expect(await answer).toBe(`visit ${n}`);
        held.push(next);
      }
      program.signal("SIGCONT");
      const metrics = await eventually(async () => {
        const body = await metricsNow(adminPort);
        return series(body, "drover_connections_accepted_total") === before + 60 && body;
      });
      expect(series(metrics, "drover_connections_refused_total")).toBe(0);
      for (const client of held) client.end();
    },
  );

  test("the free places of a worker that is being replaced serve clients of the other, and go back to its successor", async () => {
    const { program, port, adminPort, control } = shared;
    await quiet();
    const active = async () => {
      const body = await metricsNow(adminPort);
      return [1, 2].map(
        (worker) => series(body, "drover_connections_active", { worker: String(worker) }) ?? 0,
      );
    };
    const served = async (): Promise<FrameClient> => {
      const client = await FrameClient.connect(port);
      expect(await client.ask("hello")).toBe("hello");
      return client;
    };
    const first = await Promise.all(Array.from({ length: 8 }, served));
    const restarted = run(["restart", "1", "--deadline=60s", "--control", control]);
    // Not by the metrics: where its listening socket is given back, a worker also asks for it between two clients.
    await program.line(({ msg, worker }) => worker === 1 && /suspended, not accepting/.test(msg ?? ""));
    const [draining = 0] = await active();
    let leave = () => {};
    const leaving = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const crowd = Array.from({ length: 30 }, async () => {
      const client = await served();
      await leaving;
      client.end();
    });
    // More than its own ten.
    await eventually(async () => (await active()).join() === `${draining},${20 - draining}`);
    leave();
    for (const client of first) client.end();
    await Promise.all(crowd);
    expect((await restarted).code).toBe(0);
    await Promise.all(Array.from({ length: 20 }, served));
    expect((await active()).reduce((sum, count) => sum + count, 0)).toBe(20);
    const body = await metricsNow(adminPort);
    expect(series(body, "drover_connections_refused_total")).toBe(0);
  });
});

describe("of a server of its own:", () => {
  afterEach(endAll);

  test("at the connection limit the log says so once for each worker, however many clients come and go", async () => {
    const { program, port, adminPort } = await serveProgram(["--max-connections=2", "--workers=1"]);
    const held = await FrameClient.connect(port);
    expect(await held.ask("held")).toBe("held");
    const VISITS = 60;
    for (let n = 0; n < VISITS; n++) {
      const client = await FrameClient.connect(port);
      expect(await client.ask(`visit ${n}`)).toBe(`visit ${n}`);
      client.end();
    }
    held.end();
    await eventually(async () => (await metric(adminPort, "drover_connections_closed_total")) === VISITS + 1);
    program.signal("SIGTERM");
    await program.exited;
    const about = (state: string) =>
      program.lines.filter((line) => line.state === state).map(({ msg }) => msg);
    expect(about("listening")).toHaveLength(1);
    expect(about("full")).toHaveLength(1);
  });

  test("with one free place, a client behind 1,000 that have given up is served before it gives up itself", async () => {
    const { port, control } = await serveProgram(["--max-connections=20", "--workers=1"]);
    const held = await Promise.all(Array.from({ length: 19 }, () => FrameClient.connect(port)));
    for (const client of held) expect(await client.ask("held")).toBe("held");
    await post({ socketPath: control }, "/suspend", {});
    const begun = performance.now();
    for (let n = 0; n < 1_000; n++) await (await Client.connect(port)).send("hello").finish().close();
    const visits = performance.now() - begun;
    const living = await FrameClient.connect(port);
    const answer = living.ask("hello");
    await post({ socketPath: control }, "/resume", {});
    // With 10 ms for each of those before it, it would wait for 10 s longer than the work takes: less than their visits.
    const gaveUp = AbortSignal.timeout(Math.ceil(9_000 + visits));
    const patience = new Promise((resolve) => gaveUp.addEventListener("abort", () => resolve("gave up")));
    expect(await Promise.race([answer, patience])).toBe("hello");
    for (const client of [...held, living]) client.end();
  });
});
