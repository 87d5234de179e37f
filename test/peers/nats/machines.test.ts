/**
 * Three servers in three network namespaces, joined by two real nats-servers: cables pulled, servers killed and frozen,
 * NATS killed and paused. Times are printed beside the bars of the design; asserted with room for a slow machine, and not
 * at all on one that has no CPU time left.
 */
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test as plain } from "vitest";
import { AGENT_PROTOCOL, Agent } from "../../support/agent.js";
import { CpuQueue } from "../../support/cpu-queue.js";
import { endNatsServers, NatsServer } from "../../support/nats-server.js";
import { Network } from "../../support/network.js";
import { childrenOf } from "../../support/os-processes.js";
import { find, testWith } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { endAll, MAIN, Program } from "../../support/program.js";
import { eventually } from "../../support/until.js";

testWith("nats-server", "apt-get install nats-server");
testWith("ip", "apt-get install iproute2");

/** How much longer than its bar a step may take here. */
const SLACK = 4;
/** Milliseconds that it may take in any case: a bar of 50 ms says nothing of a machine that stops for a moment. */
const LEAST = 2_000;
/** Load average above which OS processes wait for CPU time so long that a time says nothing: 6 s at 30 on two cores. */
const MAX_LOAD = 4 * availableParallelism();
/** The same of the step itself: the load average knows nothing of what has just begun. */
const MAX_THREADS = 3 * availableParallelism();
/** Milliseconds without the processor, in which a step says nothing either. */
const MAX_GAP = 500;
const NAMES = 2_000;
/** Names that one connection may hold. */
const EACH = 16;

class Machine {
  readonly name: string;
  readonly #n: number;
  readonly #network: Network;
  readonly #urls: string;
  program!: Program;

  constructor(name: string, n: number, network: Network, servers: readonly NatsServer[]) {
    this.name = name;
    this.#n = n;
    this.#network = network;
    this.#urls = servers.map(({ url }) => url).join(",");
  }

  async start(): Promise<void> {
    const options = ["--workers=1", "--admin-port=0", "--log-format=json", "--log-level=debug"];
    const nats = [`--nats=${this.#urls}`, `--node=${this.name}`, "--cluster=test"];
    const drover = [MAIN, "start", "./agent.ts", "--path=./main.sock", ...options, ...nats];
    const main = { main: "netns", node: find("ip") as string, files: { "agent.ts": AGENT_PROTOCOL } };
    const namespace = this.#network.namespace(this.#n);
    this.program = new Program(["exec", namespace, process.execPath, ...drover], main);
    await this.program.line((line) => / serves /.test(line.msg ?? ""));
  }

  agent(): Promise<Agent> {
    return Agent.connect(join(this.program.dir, "main.sock"));
  }

  cut(): void {
    this.#network.cut(this.#n);
  }

  join(): void {
    this.#network.join(this.#n);
  }

  /** To all of its OS processes. */
  signal(signal: NodeJS.Signals): void {
    for (const osPid of [this.program.osPid, ...childrenOf(this.program.osPid)]) process.kill(osPid, signal);
  }

  /** Log lines with this event. */
  events(event: string): number {
    return this.program.lines.filter((line) => line.event === event).length;
  }
}

let network: Network | undefined;
let nats: NatsServer[];
let machines: Machine[];
/** One of each machine, in the group `all`. */
let agents: [Agent, Agent, Agent];
const times: string[] = [];
/** When the partition ended. */
let healed = 0;
const queue = new CpuQueue();

function possible(): boolean {
  if (!find("nats-server") || !find("ip")) return false;
  try {
    network = new Network(3);
    return true;
  } catch (error) {
    if (process.env.PEERS === "required") throw error;
    process.stderr.write(`\n*** SKIPPED: the tests on three machines: ${(error as Error).message}\n\n`);
    return false;
  }
}

const test = possible() ? plain : plain.skip;

/** Of a step that ends now and began at `start`. */
function took(what: string, start: number, bar: number): void {
  const ms = performance.now() - start;
  const [load = 0] = loadavg();
  const { mean, gap } = queue.since(start);
  process.stderr.write(`${what} ${ms.toFixed(0)}\n`);
  times.push(
    `${what.padEnd(56)} ${ms.toFixed(0).padStart(6)} ms   bar ${bar} ms   load average ${load.toFixed(1)}` +
      `, threads ${mean.toFixed(1)}, gap ${gap.toFixed(0)} ms`,
  );
  if (load <= MAX_LOAD && mean <= MAX_THREADS && gap <= MAX_GAP)
    expect(ms, what).toBeLessThan(Math.max(LEAST, bar * SLACK));
}

beforeAll(async () => {
  if (!network) return;
  const routes = (port: number, other: string) =>
    `cluster { name: t, listen: "127.0.0.1:${port}", routes: [${other}] }`;
  const address = network.address;
  const [here, there] = [await freePort(), await freePort()];
  const first = await NatsServer.start({ address, config: routes(here, "") });
  const second = await NatsServer.start({
    ...{ address, config: routes(there, `"nats://127.0.0.1:${here}"`) },
  });
  nats = [first, second];
  machines = ["a", "b", "c"].map((name, at) => new Machine(name, at + 1, network as Network, nats));
  await Promise.all(machines.map((machine) => machine.start()));
  agents = (await Promise.all(machines.map((machine) => machine.agent()))) as typeof agents;
  for (const agent of agents) await agent.ask("join", "all");
  for (const agent of agents) await agent.counts("all", 3);
});

afterAll(async () => {
  queue.stop();
  for (const agent of agents ?? []) agent.end();
  for (const { program } of machines ?? []) if (!program.over) process.kill(program.osPid, "SIGCONT");
  await endAll();
  await endNatsServers();
  network?.remove();
  if (times.length > 0) process.stderr.write(`\n${times.join("\n")}\n\n`);
});

/** Each says something, and all hear all of it once. */
async function allHear(what: string): Promise<number> {
  const start = performance.now();
  await Promise.all(agents.map((agent, at) => agent.ask("say", "all", `${what} ${at}`)));
  for (const agent of agents) for (const at of agents.keys()) await agent.hears(`${what} ${at}`);
  return performance.now() - start;
}

test("members of all machines get each other's messages once and in order, and a name is asked from anywhere", async () => {
  await allHear("hello");
  const said = Array.from({ length: 200 }, (_, at) => `row ${at}`);
  for (const text of said) void agents[0].ask("say", "all", text);
  for (const agent of agents) {
    await agent.hears("row 199");
    expect(agent.heard.filter((text) => text.startsWith("row "))).toEqual(said);
  }
  await agents[1].ask("claim", ["one"]);
  const by = await agents[1].ask("who");
  await eventually(
    async () =>
      (await agents[2].ask("where", ["one"]))[0]?.replace(/@[^>]*/, "") === by.replace(/@[^>]*/, ""),
  );
  expect(await agents[2].ask("ask", "one", { op: 1 })).toEqual({ by, got: { op: 1 } });
});

test("a name claimed at another machine is taken over", async () => {
  await agents[0].ask("claim", ["two"]);
  await eventually(async () => (await agents[1].ask("where", ["two"]))[0] !== null);
  const start = performance.now();
  expect(await agents[1].ask("claim", ["two"])).toEqual(["ended"]);
  took("name taken over from another machine", start, 50);
  await eventually(() => agents[0].replaced.includes("device/two"));
});

test("a process that is no connection ends when another machine takes its name", async () => {
  expect(await agents[0].ask("store", "store")).toBe("none");
  await eventually(async () => (await agents[1].ask("where", ["store"]))[0] !== null);
  expect(await agents[1].ask("store", "store")).toBe("ended");
  expect(await agents[0].ask("end", "store")).toEqual({ shutdown: { replaced: "device/store" } });
});

test("clients of two machines that take a name from each other are reported", async () => {
  const [, b] = machines as [Machine, Machine];
  for (let at = 0; b.events("name_contested") === 0; at++) await agents[at % 2]?.ask("claim", ["contested"]);
  const line = await b.program.line(({ event }) => event === "name_contested");
  expect([line.name, line.pid, line.otherPid]).toEqual([
    "device/contested",
    expect.stringMatching(/^<1\.\d+@a>$/),
    expect.stringMatching(/^<1\.\d+>$/),
  ]);
});

test(`partition: ${NAMES} names claimed on both sides, one holder each afterwards`, async () => {
  const [a, b] = machines as [Machine, Machine];
  const names = Array.from({ length: NAMES }, (_, at) => `p${at}`);
  const groups = Array.from({ length: NAMES / EACH }, (_, at) => names.slice(EACH * at, EACH * (at + 1)));
  const holders = (machine: Machine) => Promise.all(groups.map(() => machine.agent()));
  const [older, newer] = [await holders(b), await holders(a)];
  a.cut();
  const cut = performance.now();
  await Promise.all([agents[0].counts("all", 1), agents[1].counts("all", 2), agents[2].counts("all", 2)]);
  took("machine cut off: gone on both sides", cut, 5_000);
  await Promise.all(older.map((agent, at) => agent.ask("claim", groups[at])));
  await Promise.all(newer.map((agent, at) => agent.ask("claim", groups[at])));
  const lost = (all: readonly Agent[]) => all.reduce((sum, { replaced }) => sum + replaced.length, 0);
  expect([lost(older), lost(newer)]).toEqual([0, 0]);
  a.join();
  healed = performance.now();
  await eventually(() => lost(older) === NAMES);
  took(`${NAMES} older holders replaced after the heal`, healed, 2_000);
  for (const agent of agents) await agent.counts("all", 3);
  took("groups equal after the heal", healed, 2_000);
  expect(lost(newer)).toBe(0);
  const seen = await Promise.all(agents.map((agent) => agent.ask("where", names)));
  const base = (all: (string | null)[]) => all.map((one) => one?.replace(/@[^>]*/, ""));
  expect(base(seen[1])).toEqual(base(seen[0]));
  expect(base(seen[2])).toEqual(base(seen[0]));
  expect(base(seen[0])).not.toContain(undefined);
  // Of the tests before, where two clients contend for a name, there may be lines as well.
  const conflicts = (machine: Machine) =>
    machine.program.lines.filter(
      (line) => line.event === "name_conflicts" && line.msg?.startsWith(`${NAMES} `),
    );
  await eventually(() => conflicts(b).length > 0);
  expect(conflicts(b)[0]?.msg).toContain(
    `${NAMES} names held here and on the server a, whose claims are newer`,
  );
  expect(machines.map((machine) => conflicts(machine).length)).toEqual([0, 1, 0]);
  for (const agent of [...older, ...newer]) agent.end();
  await allHear("after the partition");
});

test("a machine that is killed is gone, and comes back", async () => {
  const [, , c] = machines as [Machine, Machine, Machine];
  // No server finds another gone before its own link is 2 s old: the other may be connecting, too.
  await eventually(() => performance.now() - healed > 2_500);
  c.signal("SIGKILL");
  const killed = performance.now();
  await Promise.all([agents[0].counts("all", 2), agents[1].counts("all", 2)]);
  took("machine killed: gone", killed, 1_000);
  await c.program.exited;
  await c.start();
  agents[2].end();
  agents[2] = await c.agent();
  await agents[2].ask("join", "all");
  for (const agent of agents) await agent.counts("all", 3);
  await allHear("after the kill");
});

test("a machine that is frozen is gone, and comes back", async () => {
  const [, , c] = machines as [Machine, Machine, Machine];
  c.signal("SIGSTOP");
  try {
    const frozen = performance.now();
    await Promise.all([agents[0].counts("all", 2), agents[1].counts("all", 2)]);
    took("machine frozen: gone", frozen, 5_000);
  } finally {
    c.signal("SIGCONT");
  }
  const thawed = performance.now();
  for (const agent of agents) await agent.counts("all", 3);
  took("machine thawed: views equal", thawed, 2_000);
  await allHear("after the frost");
});

test("NATS killed for 2 s: no server is declared down, and messages go on", async () => {
  const downs = () => machines.map((machine) => machine.events("node_down"));
  const before = downs();
  for (const server of nats) server.kill();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  // On its own machine all goes on.
  await agents[0].ask("say", "all", "alone");
  await agents[0].hears("alone");
  await Promise.all(nats.map((server) => server.start()));
  const up = performance.now();
  for (let n = 0; !agents[1].heard.some((text) => text.startsWith("back ")); n++) {
    await agents[0].ask("say", "all", `back ${n}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  took("NATS killed for 2 s: first message after it is up", up, 1_000);
  expect(downs()).toEqual(before);
  for (const agent of agents) await agent.counts("all", 3);
  await allHear("after NATS");
});

test("NATS paused: the second server is used", async () => {
  const used = (machine: Machine) => machine.program.lines.filter(({ event }) => event === "nats_up").length;
  expect(machines.map(used).every((count) => count > 0)).toBe(true);
  const paused = performance.now();
  nats[0]?.signal("SIGSTOP");
  try {
    for (let n = 0; ; n++) {
      await Promise.all(agents.map((agent, at) => agent.ask("say", "all", `paused ${at} ${n}`)));
      const heard = (from: number) =>
        agents.every((agent) => agent.heard.some((text) => text === `paused ${from} ${n}`));
      const all = await eventually(() => agents.every((_, at) => heard(at)), 100).catch(() => false);
      if (all) break;
      expect(performance.now() - paused).toBeLessThan(60_000);
    }
    took("NATS paused: messages over the second server", paused, 3_000);
  } finally {
    nats[0]?.signal("SIGCONT");
  }
  for (const agent of agents) await agent.counts("all", 3);
  await allHear("after the pause");
});

test("nothing has come twice", () => {
  for (const { heard } of agents) expect(heard.length).toBe(new Set(heard).size);
});
