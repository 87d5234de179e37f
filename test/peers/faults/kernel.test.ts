/** Faults of the kernel: descriptors, ports, accept, write, spawn; and jumps of the wall clock. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect } from "vitest";
import { lowestFreeDescriptor } from "../../../scripts/check/chaos/os-processes.js";
import { post } from "../../admin/support.js";
import { http, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { childrenOf, isAlive, socketsOf } from "../../support/os-processes.js";
import { find, testWith } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import {
  endAll,
  endAllBut,
  MAIN,
  type Program,
  type Served,
  serveProgram,
  serveProtocol,
} from "../../support/program.js";
import { eventually } from "../../support/until.js";

const prlimit = testWith("prlimit", "apt-get install util-linux");
const setpriv = testWith("setpriv", "apt-get install util-linux");
const strace = testWith("strace", "apt-get install strace");
const faketime = testWith("faketime", "apt-get install faketime");
const started: { child: ChildProcess; dir: string }[] = [];

/** Servers that several tests use, by what they are; each is started by the first of them. */
const shared = new Map<string, Promise<Served>>();
const kept = new Set<Program>();

function sharedServer(name: string, start: () => Promise<Served>): Promise<Served> {
  const found = shared.get(name) ?? start();
  shared.set(name, found);
  return found.then((served) => {
    kept.add(served.program);
    return served;
  });
}

const oneWorker = () => sharedServer("one worker", () => serveProgram(["--workers=1"]));
const twoWorkers = () => sharedServer("two workers", () => serveProgram(["--workers=2"]));
const greedy = () => sharedServer("greedy", () => serveProtocol("greedy.ts", GREEDY, ["--workers=1"]));

afterAll(endAll);
afterEach(async () => {
  await endAllBut(kept);
  for (const { child, dir } of started.splice(0)) {
    const osPids = childrenOf(child.pid as number);
    const closed = new Promise((resolve) => child.once("close", resolve));
    if (child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")) await closed;
    await eventually(() => osPids.every((osPid) => !isAlive(osPid)));
    rmSync(dir, { recursive: true, force: true });
  }
});

/** Starts the program through another one: `prlimit --nofile=200 node main.js start …`. */
async function under(name: string, before: readonly string[], args: readonly string[], env = {}) {
  const [port, adminPort] = [await freePort(), await freePort()];
  const dir = mkdtempSync(join(tmpdir(), "drover-under-"));
  const usual = ["--host=127.0.0.1", `--port=${port}`, `--admin-port=${adminPort}`, "--log-format=json"];
  const given = (flag: string) => args.some((arg) => arg.split("=")[0] === flag.split("=")[0]);
  const flags = [...usual.filter((flag) => !given(flag)), ...args];
  const argv = [...before, process.execPath, MAIN, "start", ...flags];
  const child = spawn(find(name) as string, argv, {
    cwd: dir,
    env: { PATH: process.env.PATH, HOME: dir, XDG_RUNTIME_DIR: dir, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push({ child, dir });
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, stderr }));
  });
  return { child, port, adminPort, dir, ended, stdout: () => stdout };
}

const ready = (adminPort: number) =>
  eventually(async () => (await http(adminPort, "/ready").catch(() => undefined))?.status === 200);

const scraped = async (adminPort: number) => (await http(adminPort, "/metrics")).body;

/** The metrics of a shared server, once the clients of the test before are gone from them. */
const settled = (adminPort: number) =>
  eventually(async () => {
    const { body } = await http(adminPort, "/metrics/now");
    return series(body, "drover_connections_active") === 0 && body;
  });

/** Sets the descriptor limit of an OS process to what it has open, plus `more`. */
function leaveDescriptors(osPid: number, more: number, hard = 0): void {
  setDescriptors(osPid, readdirSync(`/proc/${osPid}/fd`).length + more, hard);
}

/** How many of its descriptors below this one are of `/dev/null`. */
function keptDescriptors(osPid: number, free = lowestFreeDescriptor(osPid)): number {
  const below = Array.from({ length: free }, (_, fd) => `/proc/${osPid}/fd/${fd}`);
  return below.filter((path) => target(path) === "/dev/null").length;
}

/** Of a link to a descriptor; `undefined` when it was closed meanwhile. */
function target(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function setDescriptors(osPid: number, limit: number, hard = 20_000): void {
  const { status, stderr } = spawnSync(find("prlimit") as string, [
    `--pid=${osPid}`,
    `--nofile=${limit}:${Math.max(hard, limit)}`,
  ]);
  expect(status, String(stderr)).toBe(0);
}

/** Gives an OS process as many descriptors as it had. */
function restoreDescriptors(osPid: number): void {
  setDescriptors(osPid, 20_000);
}

/** Connects `count` clients; each answer is the echo, or `closed`. */
async function visitors(port: number, count: number) {
  const clients = await Promise.all(Array.from({ length: count }, () => FrameClient.connect(port)));
  const answers = clients.map((client, n) => client.ask(`client ${n}`).catch(() => "closed"));
  return { clients, answers };
}

// -- descriptors --------------------------------------------------------------------------------------------

prlimit(
  "with few descriptors it serves as many as it can, and the others wait instead of being dropped",
  async () => {
    const { port, adminPort } = await under("prlimit", ["--nofile=200:200"], ["--workers=1"]);
    await ready(adminPort);
    const { clients, answers } = await visitors(port, 120);
    const most = await eventually(async () => {
      const text = await scraped(adminPort);
      const active = series(text, "drover_connections_active");
      return active === series(text, "drover_max_connections") && active;
    });
    expect(most).toBeLessThan(120);
    // Each client that was served disconnects and frees a place.
    await Promise.all(
      answers.map(async (answer, n) => {
        expect(await answer).toBe(`client ${n}`);
        clients[n]?.end();
      }),
    );
  },
);

prlimit(
  "a worker whose limit was lowered accepts no more than it has room for; all are served, none is closed",
  async () => {
    const { program, port, adminPort } = await serveProgram(["--workers=1"]);
    const [worker = 0] = program.workers();
    const [ROOM, CROWD] = [20, 120];
    // The worker keeps 32 free for the rest of the program.
    leaveDescriptors(worker, ROOM + 32);
    await program.line(({ msg }) => /file descriptors are in use: no more than \d+ connections/.test(msg));
    await eventually(
      async () => (series(await scraped(adminPort), "drover_max_connections") ?? 0) <= ROOM + 2,
    );
    const { clients, answers } = await visitors(port, CROWD);
    let here = 0;
    let most = 0;
    await Promise.all(
      answers.map(async (answer, n) => {
        expect(await answer).toBe(`client ${n}`);
        most = Math.max(most, ++here);
        expect(await clients[n]?.ask("still here")).toBe("still here");
        here--;
        clients[n]?.end();
      }),
    );
    // The listening socket counts while it is open.
    expect(most).toBeLessThanOrEqual(ROOM + 2);
    expect(program.lines.filter(({ level }) => level === "error")).toEqual([]);
  },
);

prlimit(
  "clients that connect in the moment in which the limit is lowered wait in the queue, and none is closed",
  async () => {
    const { program, port } = await oneWorker();
    const [worker = 0] = program.workers();
    const early = await FrameClient.connect(port);
    expect(await early.ask("early")).toBe("early");
    leaveDescriptors(worker, 20 + 32, 20_000);
    const { clients, answers } = await visitors(port, 120);
    await Promise.all(
      answers.map(async (answer, n) => {
        expect(await answer).toBe(`client ${n}`);
        clients[n]?.end();
      }),
    );
    expect(await early.ask("still here")).toBe("still here");
    early.end();
    restoreDescriptors(worker);
  },
);

/** Takes every descriptor again and again when told to, and gives them back. */
const GREEDY = `
import { closeSync, openSync } from "node:fs";
import { defineProtocol, packet } from "drover";
const taken = [];
let timer;
function take() { try { for (;;) taken.push(openSync("/dev/null", "r")); } catch {} }
export default defineProtocol({
  name: "greedy",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        if (String(frame) === "take") { take(); timer = setInterval(take, 0); }
        if (String(frame) === "give") { clearInterval(timer); for (const fd of taken.splice(0)) closeSync(fd); }
        conn.send(frame);
      },
    },
  },
});
`;

prlimit(
  "code that takes the last descriptor is noticed and counted, and the clients after that wait",
  async () => {
    const { program, port, adminPort } = await greedy();
    const before = await settled(adminPort);
    const said = program.lines.length;
    const taker = await FrameClient.connect(port);
    leaveDescriptors(program.workers()[0] as number, 400, 20_000);
    expect(await taker.ask("take")).toBe("take");
    await program.line(({ event }) => event === "descriptors_exhausted", said);
    const { clients, answers } = await visitors(port, 40);
    // They are in the queue: nothing has accepted or closed them.
    await eventually(async () => {
      const text = await scraped(adminPort);
      const more = (name: string) => (series(text, name) ?? 0) - (series(before, name) ?? 0);
      return (
        more("drover_descriptors_exhausted_total") === 1 && more("drover_connections_accepted_total") === 1
      );
    });
    expect(await taker.ask("give")).toBe("give");
    for (const [n, answer] of answers.entries()) expect(await answer).toBe(`client ${n}`);
    for (const client of [taker, ...clients]) client.end();
  },
);

/** Opens four files for every connection, and closes them behind it. */
const FILES = `
import { closeSync, openSync } from "node:fs";
import { defineProtocol, packet } from "drover";
export default defineProtocol({
  name: "files",
  framing: packet(2),
  data: () => Array.from({ length: 4 }, () => openSync("/dev/null", "r")),
  states: { ready: { frame: (conn, frame) => void conn.send(frame) } },
  terminate: (conn) => { for (const fd of conn.data) closeSync(fd); },
});
`;

prlimit("clients whose handlers take the descriptors wait in the queue, and none is closed", async () => {
  const { program, port } = await serveProtocol("files.ts", FILES, ["--workers=1"]);
  leaveDescriptors(program.workers()[0] as number, 150, 20_000);
  await program.line(({ msg }) => /file descriptors are in use/.test(msg));
  const { clients, answers } = await visitors(port, 120);
  await Promise.all(
    answers.map(async (answer, n) => {
      expect(await answer).toBe(`client ${n}`);
      clients[n]?.end();
    }),
  );
  expect(program.lines.filter(({ level }) => level === "error")).toEqual([]);
});

prlimit(
  "clients for which a worker has no descriptors are served by the others, and by it when it has some again",
  async () => {
    const { program, port, adminPort } = await twoWorkers();
    const [first = 0] = program.workers();
    const before = series(await scraped(adminPort), "drover_max_connections") ?? 0;
    leaveDescriptors(first, 10 + 32, 20_000);
    await program.line(({ msg }) => /file descriptors are in use/.test(msg));
    // These clients stay connected: no place is freed.
    const { clients, answers } = await visitors(port, 120);
    for (const [n, answer] of answers.entries()) expect(await answer).toBe(`client ${n}`);
    restoreDescriptors(first);
    await eventually(async () => (series(await scraped(adminPort), "drover_max_connections") ?? 0) >= before);
    for (const [n, client] of clients.entries()) expect(await client.ask(`still ${n}`)).toBe(`still ${n}`);
    for (const client of clients) client.end();
  },
);

prlimit(
  "a worker that is out of descriptors goes on with the connections it has, and so do the others",
  async () => {
    const { program, port, adminPort } = await twoWorkers();
    const workers = program.workers();
    const before = series(await settled(adminPort), "drover_frames_received_total") ?? 0;
    const said = program.lines.length;
    const old = await visitors(port, 10);
    await Promise.all(old.answers);
    const [starved] = workers as [number];
    setDescriptors(starved, lowestFreeDescriptor(starved));
    const more = await visitors(port, 40);
    await Promise.all(more.answers);
    for (const [n, client] of old.clients.entries())
      expect(await client.ask(`still ${n}`)).toBe(`still ${n}`);
    // It still reports its numbers, although reading them needs a descriptor.
    await eventually(
      async () => (series(await scraped(adminPort), "drover_frames_received_total") ?? 0) >= before + 20,
    );
    expect(program.workers()).toEqual(workers);
    expect(program.lines.slice(said).filter((line) => line.level === "error")).toEqual([]);
    for (const client of [...old.clients, ...more.clients]) client.end();
    restoreDescriptors(workers[0] as number);
  },
);

prlimit(
  "after a want of descriptors in which copies of the listening socket were lost, the worker serves again",
  async () => {
    const { program, port, control } = await greedy();
    leaveDescriptors(program.workers()[0] as number, 200, 20_000);
    const client = await FrameClient.connect(port);
    await client.ask("take");
    // Uses up the reserve, and asks for more than can arrive.
    for (let n = 0; n < 4; n++) {
      for (const path of ["/suspend", "/resume"])
        expect((await post({ socketPath: control }, path, {})).status).toBe(200);
    }
    await client.ask("give");
    const next = await FrameClient.connect(port);
    expect(await next.ask("hello")).toBe("hello");
    next.end();
    client.end();
  },
);

prlimit(
  "a primary without a free descriptor says so, answers health checks and scrapes behind slow clients, and replaces a worker",
  async () => {
    const { program, adminPort } = await twoWorkers();
    const answered = async (path: string) => {
      const answer = await http(adminPort, path).catch(() => undefined);
      return answer?.status === 200 ? answer.body : undefined;
    };
    const exhausted = async () =>
      series((await answered("/metrics/now")) ?? "", "drover_descriptors_exhausted_total", { worker: "0" });
    expect(await exhausted()).toBe(0);
    // Again: one that was open for a moment, of a request, is free after that. A worker may have logged the same before.
    await eventually(() => {
      const free = lowestFreeDescriptor(program.osPid);
      if (keptDescriptors(program.osPid, free) >= 16) setDescriptors(program.osPid, free);
      return program.lines.some(({ event, worker }) => event === "descriptors_exhausted" && worker === 0);
    });
    const slow = Array.from({ length: 30 }, () => {
      const socket = createConnection(adminPort, "127.0.0.1", () => socket.write("GET /health HTTP/1.1\r\n"));
      return socket.on("error", () => {});
    });
    await eventually(() => slow.every(({ connecting }) => !connecting));
    // Those that connect at once with the slow ones may find no descriptor.
    await eventually(async () => (await answered("/health")) !== undefined);
    expect(await eventually(exhausted)).toBe(1);
    for (const socket of slow) socket.destroy();
    const [victim] = program.workers();
    process.kill(victim as number, "SIGKILL");
    await eventually(() => !program.workers().includes(victim as number));
    await eventually(async () => series((await answered("/metrics")) ?? "", "drover_worker_up") === 2);
    restoreDescriptors(program.osPid);
    await eventually(() => keptDescriptors(program.osPid) >= 16);
  },
);

prlimit(
  "a primary that is out of descriptors serves on, tells why no worker can be started, and starts it later",
  async () => {
    const { program, port, adminPort } = await twoWorkers();
    const [victim] = program.workers();
    // Below those that are kept for such a moment.
    setDescriptors(program.osPid, 10);
    process.kill(victim as number, "SIGKILL");
    const report = await program.line((line) => line.errorContext === "start_error");
    expect(report).toMatchObject({ supervisor: "drover", reason: "{not_spawned,'EMFILE'}" });
    const client = await FrameClient.connect(port);
    expect(await client.ask("hello")).toBe("hello");
    restoreDescriptors(program.osPid);
    await eventually(() => program.workers().length === 2);
    // The shortage cost restarts, but the program runs.
    await eventually(async () => (series(await scraped(adminPort), "drover_worker_up") ?? 0) === 2);
    expect(await client.ask("still here")).toBe("still here");
    client.end();
  },
);

strace("a fork that fails with ENOMEM is tried again, and ends nothing", async () => {
  const { program, port, adminPort } = await oneWorker();
  const calls = "clone,clone3,fork,vfork";
  const args = [
    "-p",
    `${program.osPid}`,
    "-e",
    `trace=${calls}`,
    "-e",
    `inject=${calls}:error=ENOMEM:when=1..2`,
  ];
  const tracer = spawn(find("strace") as string, args, { stdio: "ignore" });
  await eventually(() => /^TracerPid:\s+[1-9]/m.test(readFileSync(`/proc/${program.osPid}/status`, "utf8")));
  process.kill(program.workers()[0] as number, "SIGKILL");
  const line = await program.line((line) => /^worker 1 does not start: /.test(line.msg ?? ""));
  expect(line.msg).toMatch(
    /an OS process cannot be started \(ENOMEM: out of memory\); next attempt in .* 0 workers/,
  );
  const client = await FrameClient.connect(port);
  expect(await client.ask("hello")).toBe("hello");
  await eventually(async () => series(await scraped(adminPort), "drover_worker_up") === 1);
  expect(program.lines.filter(({ err }) => err?.type === "TypeError")).toEqual([]);
  client.end();
  const closed = new Promise((resolve) => tracer.once("close", resolve));
  tracer.kill("SIGTERM");
  await closed;
});

// -- ports --------------------------------------------------------------------------------------------------

const fewerRights = process.getuid?.() === 0 ? setpriv : setpriv.skip;

fewerRights("a port for which it has no right ends with 69 and says what to do", async () => {
  const first = Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8"));
  const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
  const runtime = mkdtempSync(join(tmpdir(), "drover-nobody-"));
  spawnSync("chown", ["65534:65534", runtime]);
  const env = { XDG_RUNTIME_DIR: runtime, HOME: runtime };
  const { ended } = await under("setpriv", nobody, ["--workers=1", `--port=${Math.min(80, first - 1)}`], env);
  const { code, stderr } = await ended;
  rmSync(runtime, { recursive: true, force: true });
  if (first === 0) return expect(code).toBe(0);
  expect(stderr).toMatch(/^drover: permission denied to bind 127\.0\.0\.1:80: .*choose another --port\n$/);
  expect(code).toBe(69);
});

fewerRights(
  "another user of the machine can neither reach its control socket nor read its configuration",
  async () => {
    const [{ program, control }, other] = await Promise.all([
      serveProgram(["--workers=1"]),
      // Relative to the folder of its test.
      serveProgram(["--workers=1", "--control=readable.sock"]),
    ]);
    const secret = join(program.dir, "drover.json");
    writeFileSync(secret, "{}", { mode: 0o600 });
    // The folder of the test is open to all; the one that the program made must not be.
    chmodSync(program.dir, 0o755);
    const asNobody = (...args: string[]) => {
      const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath, MAIN];
      const env = { PATH: process.env.PATH, HOME: "/nonexistent" };
      return spawnSync(find("setpriv") as string, [...nobody, ...args], { encoding: "utf8", env, cwd: "/" });
    };
    const tree = asNobody("tree", `--control=${control}`);
    expect(tree.stderr).toMatch(/^drover .*belongs to another user.*\n$/);
    expect(tree.status).toBe(69);
    // The socket's own mode keeps the user out as well.
    const readable = other.control;
    chmodSync(other.program.dir, 0o755);
    expect(asNobody("tree", `--control=${readable}`).stderr).toMatch(
      /^drover .*belongs to another user.*\n$/,
    );
    const start = asNobody("start", `--control=${readable}`);
    expect(start.stderr).toBe(
      `drover: control socket ${readable}: permission denied: it belongs to another user\n`,
    );
    expect(start.status).toBe(69);
    const config = asNobody("config", `--config=${secret}`);
    expect(config.stderr).toMatch(/^drover: .*drover\.json.+\n$/);
    expect(config.status).toBe(78);
    expect(program.over).toBe(false);
  },
);

prlimit("an address that is not of this machine ends with 69 and says what to do", async () => {
  const { ended } = await under("prlimit", [], ["--workers=1", "--host=192.0.2.1"]);
  expect(await ended).toMatchObject({ code: 69, stderr: expect.stringContaining("choose another --host") });
});

// -- system calls that fail ---------------------------------------------------------------------------------

/**
 * Makes system calls of a worker fail while `during` runs.
 * @param only sockets to restrict it to; empty: all descriptors
 * @returns number of failed calls
 */
async function injected(
  osPid: number,
  what: string,
  only: readonly string[],
  during: () => Promise<void>,
): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), "drover-strace-"));
  const file = join(dir, "trace");
  const calls = ["-e", `trace=${what.split(":")[0]}`, "-e", `inject=${what}`];
  const args = ["-f", "-o", file, "-p", String(osPid), ...only.flatMap((name) => ["-P", name]), ...calls];
  const tracer = spawn(find("strace") as string, args, { stdio: ["ignore", "ignore", "pipe"] });
  started.push({ child: tracer, dir });
  let said = "";
  tracer.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  await eventually(() => said.includes("attached"));
  await during();
  const closed = new Promise((resolve) => tracer.once("close", resolve));
  tracer.kill("SIGTERM");
  await closed;
  return readFileSync(file, "utf8").split("(INJECTED)").length - 1;
}

for (const error of ["ENOBUFS", "ENOMEM", "ECONNABORTED", "EPROTO", "ENFILE"]) {
  strace(
    `an accept that fails with ${error} costs no client: all are served as soon as it works again`,
    async () => {
      const { port, program } = await oneWorker();
      const [worker = 0] = program.workers();
      const failed = await injected(worker, `accept,accept4:error=${error}:when=1..20`, [], async () => {
        const { clients, answers } = await visitors(port, 10);
        expect(await Promise.all(answers)).toEqual(clients.map((_, n) => `client ${n}`));
        for (const client of clients) client.end();
      });
      expect(failed).toBeGreaterThan(0);
      expect(program.workers()).toEqual([worker]);
    },
  );
}

for (const error of ["EPIPE", "ECONNRESET"]) {
  strace(
    `a write that fails with ${error} ends that connection, is counted once, and touches no other`,
    async () => {
      const { port, adminPort, program } = await oneWorker();
      const [worker = 0] = program.workers();
      const before = await settled(adminPort);
      const said = program.lines.length;
      const others = socketsOf(worker);
      const { clients, answers } = await visitors(port, 10);
      await Promise.all(answers);
      // Only these sockets: a worker writes to its own threads as well.
      const victims = [...socketsOf(worker)]
        .filter((inode) => !others.has(inode))
        .slice(0, 4)
        .map((inode) => `socket:[${inode}]`);
      const failed = await injected(worker, `write,writev:error=${error}`, victims, async () => {
        const again = await Promise.all(clients.map((client) => client.ask("again").catch(() => "closed")));
        expect(again.toSorted()).toEqual([...Array(6).fill("again"), ...Array(4).fill("closed")]);
      });
      expect(failed).toBe(4);
      const reset = { reason: "reset" };
      const more = (text: string, labels = {}) =>
        (series(text, "drover_connections_closed_total", labels) ?? 0) -
        (series(before, "drover_connections_closed_total", labels) ?? 0);
      const text = await eventually(async () => {
        const body = await scraped(adminPort);
        return more(body) === 4 && body;
      });
      expect(more(text, reset)).toBe(4);
      expect(series(text, "drover_connections_active")).toBe(6);
      expect(program.workers()).toEqual([worker]);
      expect(program.lines.slice(said).filter((line) => line.report !== undefined)).toEqual([]);
      for (const client of clients) client.end();
    },
  );
}

// -- the wall clock -----------------------------------------------------------------------------------------

faketime("when the wall clock jumps, deadlines and the restart budget go by their own clock", async () => {
  const dir = mkdtempSync(join(tmpdir(), "drover-time-"));
  const file = join(dir, "offset");
  const jump = (offset: string) => writeFileSync(file, `${offset}\n`);
  jump("+0");
  // faketime only gives the path of its library: an offset on its command line cannot change while the program runs.
  const library = spawnSync(find("faketime") as string, ["-f", "+0", "printenv", "LD_PRELOAD"], {
    encoding: "utf8",
  });
  const env = {
    LD_PRELOAD: library.stdout.trim(),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    DONT_FAKE_MONOTONIC: "1",
  };
  const { child, port, adminPort, stdout } = await under(
    "prlimit",
    [],
    // Less than any jump, and more than a slow machine needs.
    ["--workers=2", "--idle-timeout=1h", "--max-seconds=600"],
    env,
  );
  await eventually(async () => series(await scraped(adminPort).catch(() => ""), "drover_worker_up") === 2);
  const left = async () => series(await scraped(adminPort), "drover_restarts_left", { supervisor: "drover" });
  const stays = await FrameClient.connect(port);
  const hour = async (offset: string) => {
    jump(offset);
    expect(await stays.ask(offset)).toBe(offset);
    const comes = await FrameClient.connect(port);
    expect(await comes.ask("hello")).toBe("hello");
    comes.end();
  };
  await hour("+3h");
  // The death of the other worker stays in the window of 10 minutes, whatever the wall clock shows.
  // The client that came has gone, so that the only connection left is the one that stays.
  const idle = await eventually(async () => {
    const tree = JSON.parse((await http(adminPort, "/tree")).body);
    const workers = tree.children.filter((node: any) => node.kind === "worker");
    const connections = (node: any) => JSON.stringify(node.children).split('"connection"').length - 1;
    const [free, busy] = workers.toSorted((a: any, b: any) => connections(a) - connections(b));
    return connections(free) === 0 && connections(busy) === 1 && free;
  });
  process.kill(idle.osPid, "SIGKILL");
  await eventually(async () => (await left()) === 4);
  for (const offset of ["-2h", "+12y", "+0"]) await hour(offset);
  expect(await left()).toBe(4);
  expect(child.exitCode).toBe(null);
  // The log shows the wall clock.
  const times = () =>
    [...stdout().matchAll(/"time":"([^"]+)"/g)].map(([, time]) => Date.parse(time as string));
  await eventually(() => Math.max(...times()) - Math.min(...times()) > 2 * 3_600_000);
  stays.end();
  rmSync(dir, { recursive: true, force: true });
});
