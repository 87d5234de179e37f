/** Supervision of OS processes: exits, restarts, and that none is left behind. */
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { metricNow } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { childrenOf, isAlive } from "../../support/os-processes.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program, run, type Served, serveProgram, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

/** Ends its worker on command. */
const FRAGILE = `
import { defineProtocol, packet } from "drover";
export default defineProtocol({
  name: "fragile",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        const word = String(frame);
        if (word === "exit 0") process.exit(0);
        if (word === "nested") setTimeout(() => setTimeout(() => { throw new Error("outside of any process"); }, 1), 1);
        if (word === "throw") setImmediate(() => { throw new Error("outside of any process"); });
        conn.send(frame);
      },
    },
  },
});
`;

const addressOf = ({ socket }: FrameClient) => `127.0.0.1:${socket.localPort}`;

function fragile(...args: string[]) {
  return serveProtocol("fragile.ts", FRAGILE, args);
}

async function asks(port: number, word: string): Promise<string> {
  const client = await FrameClient.connect(port);
  const answer = await client.ask(word);
  client.end();
  return answer;
}

describe("of a server with one worker, in order:", () => {
  let served: Served;
  beforeAll(async () => {
    served = await fragile("--workers=1", "--max-restarts=100");
  });
  afterAll(endAll);

  test("a worker that ends well without being asked is started again", async () => {
    const { program, port } = served;
    const [before] = program.workers();
    const client = await FrameClient.connect(port);
    client.send("exit 0");
    const report = await program.line((line) => line.report === "supervisor");
    expect(report).toMatchObject({ errorContext: "child_terminated", reason: "normal" });
    expect(await asks(port, "hello")).toBe("hello");
    expect(program.workers()).not.toContain(before);
  });

  test("a worker that exits while its watchdog thread is starting ends with its own status", async () => {
    const { program, port } = served;
    const reports = () => program.lines.filter(({ report }) => report === "supervisor");
    // Standard output is a socket here, which an OS process lets go of at its exit. The test before was the first.
    for (let exits = 2; exits <= 10; exits++) {
      const client = await FrameClient.connect(port);
      client.send("exit 0");
      await program.until(() => reports().length === exits);
    }
    expect(reports().map(({ reason }) => reason)).toEqual(Array(10).fill("normal"));
  });

  test("where its origin is not known, the report of an exception names the clients that were active last", async () => {
    const { program, port } = served;
    const bystander = await FrameClient.connect(port);
    expect(await bystander.ask("hello")).toBe("hello");
    const client = await FrameClient.connect(port);
    const peers = [client, bystander].map(addressOf);
    client.send("nested");
    const line = await program.line((line) => /outside of any process/.test(line.msg ?? ""));
    expect(line.msg).toContain(
      `the worker exits; the connections that were active last came from ${peers.join(", ")}`,
    );
    expect(line.lastConnections).toMatchObject(peers.map((peer) => ({ peer })));
    bystander.end();
  });
});

const DEATHS = 15;

describe("of a server with two workers, in order:", () => {
  let served: Served;
  beforeAll(async () => {
    served = await fragile("--workers=2", "--max-restarts=1000");
  });
  afterAll(endAll);

  test("an exception outside of every process ends its worker with the stack in the log, and no other", async () => {
    const { program, port } = served;
    const before = program.workers();
    const client = await FrameClient.connect(port);
    const peer = addressOf(client);
    client.send("throw");
    const line = await program.line((line) => /outside of any process/.test(line.msg ?? ""));
    expect(line.err.stack).toContain("fragile.ts:");
    expect(line.msg).toMatch(
      /the worker exits; code of connection <\d+\.\d+> from 127\.0\.0\.1:\d+ has thrown it$/,
    );
    expect(line).toMatchObject({ protocol: "fragile", state: "ready", peer, framesReceived: 1 });
    const report = await program.line((line) => line.report === "supervisor");
    expect(report.reason).toBe("{exit_status,1}");
    await eventually(() => program.workers().length === 2);
    expect(program.workers().filter((worker) => before.includes(worker))).toHaveLength(1);
    expect(await asks(port, "hello")).toBe("hello");
  });

  test("after fifteen deaths there is no zombie and no descriptor more, and the series count every one", async () => {
    const { program, port, adminPort } = served;
    const restarts = () => metricNow(adminPort, "drover_supervisor_restarts_total");
    const descriptors = () => readdirSync(`/proc/${program.osPid}/fd`).length;
    await eventually(async () => (await metricNow(adminPort, "drover_workers", { state: "running" })) === 2);
    const before = (await restarts()) ?? 0;
    const open = descriptors();
    for (let death = 1; death <= DEATHS; death++) {
      const [victim] = program.workers() as [number];
      process.kill(victim, "SIGKILL");
      await eventually(() => program.workers().length === 2 && !program.workers().includes(victim));
    }
    await eventually(async () => (await restarts()) === before + DEATHS);
    expect(await asks(port, "hello")).toBe("hello");
    await eventually(
      () => childrenOf(program.osPid).length === 2 && childrenOf(program.osPid).every(isAlive),
    );
    // Some more for requests that are under way: one for each death would be found.
    await eventually(() => descriptors() < open + DEATHS / 2);
  });

  test("a burst of signals is one stop, and leaves nothing behind", async () => {
    const { program, adminPort } = served;
    await eventually(async () => (await metricNow(adminPort, "drover_workers", { state: "running" })) === 2);
    const workers = program.workers();
    for (let n = 0; n < 10; n++) program.signal(n % 2 === 0 ? "SIGTERM" : "SIGINT");
    await program.exited;
    expect(program.lines.filter(({ msg }) => /^stopping \(/.test(msg ?? ""))).toHaveLength(1);
    expect(workers.filter(isAlive)).toEqual([]);
  });
});

describe("of a server of its own:", () => {
  afterEach(endAll);

  test("after the primary was killed, one of the same name serves at once on the same port", async () => {
    const dir = mkdtempSync(join(tmpdir(), "drover-again-"));
    const first = await serveProgram(["--workers=1", "--control", join(dir, "drover.sock")]);
    const workers = first.program.workers();
    first.program.signal("SIGKILL");
    await first.program.exited;
    const ports = [`--port=${first.port}`, `--admin-port=${await freePort()}`, "--log-format=json"];
    const control = ["--control", join(dir, "drover.sock")];
    const second = await eventually(async () => {
      const program = new Program(["start", "--host=127.0.0.1", "--workers=1", ...ports, ...control]);
      return program
        .line((line) => / serves /.test(line.msg ?? ""))
        .then(
          () => program,
          () => undefined,
        );
    });
    expect(await asks(first.port, "hello")).toBe("hello");
    await eventually(() => workers.every((worker) => !isAlive(worker)));
    expect((await run(["tree", ...control])).code).toBe(0);
    expect(second.over).toBe(false);
  });

  test("SIGTERM at any moment of the start ends it cleanly: no worker, no control socket is left", async () => {
    for (let ms = 0; ms <= 900; ms += 150) {
      const dir = mkdtempSync(join(tmpdir(), "drover-early-"));
      const ports = [`--port=${await freePort()}`, `--admin-port=${await freePort()}`];
      const program = new Program([
        "start",
        "--host=127.0.0.1",
        "--workers=2",
        ...ports,
        "--control",
        join(dir, "drover.sock"),
      ]);
      const begun = performance.now();
      await eventually(() => performance.now() - begun >= ms);
      const workers = program.workers();
      program.signal("SIGTERM");
      const { code, signal } = await program.exited;
      // Before signal handlers are installed, the signal itself ends the program.
      expect(code === 0 || (code === null && signal === "SIGTERM"), `after ${ms} ms: ${code} ${signal}`).toBe(
        true,
      );
      expect(workers.filter(isAlive)).toEqual([]);
      expect(readdirSync(dir)).toEqual([]);
    }
  });

  test("a configuration that is wrong starts nothing at all", async () => {
    const program = new Program(["start", "--host=127.0.0.1"], { env: { DROVER_WORKERS: "many" } });
    const seen = new Set<number>();
    const watching = eventually(() => {
      for (const worker of program.workers()) seen.add(worker);
      return program.over;
    });
    expect((await program.exited).code).toBe(78);
    await watching;
    expect([...seen]).toEqual([]);
    expect(program.stderr.trim().split("\n")).toHaveLength(1);
  });
});
