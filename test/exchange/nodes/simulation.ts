/** Servers on a memory carrier and a clock that runs in one call: random schedules of claims, partitions and restarts. */

import { Nodes } from "../../../src/exchange/nodes/nodes.js";
import { PEER_KIND } from "../../../src/exchange/nodes/peer/peer-records.js";
import { presenceName, presenceTable } from "../../../src/exchange/nodes/rows/presence-rows.js";
import { groupTable, nameTable } from "../../../src/exchange/nodes/rows/row-table.js";
import { PUBLISH_HEAD } from "../../../src/exchange/records/publish-records.js";
import { RecordReader } from "../../../src/exchange/records/record-reader.js";
import { Hub, type PidPair } from "../../../src/groups/hub/hub.js";
import { type HubRequest, NameHub } from "../../../src/groups/hub/name-hub.js";
import type { ClaimResult, Contest } from "../../../src/groups/hub/name-row.js";
import type { PresenceChange } from "../../../src/groups/hub/presence-table.js";
import { TokenClock } from "../../../src/groups/hub/token-clock.js";
import { type Clock, clock, useClock } from "../../../src/otp/time/clock.js";
import { MemoryCarrier, MemoryNetwork } from "./memory-carrier.js";

/** A clock on which everything runs in `run`, without a turn of the event loop. */
export class SimulatedClock implements Clock {
  #now = 1_000_000;
  #timers: { readonly at: number; readonly id: number; readonly callback: () => void }[] = [];
  readonly #cleared = new Set<unknown>();
  #lastId = 0;

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const timer = { at: this.#now + Math.max(0, ms), id: ++this.#lastId, callback };
    let from = 0;
    let to = this.#timers.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#timers[middle] as { at: number }).at <= timer.at) from = middle + 1;
      else to = middle;
    }
    this.#timers.splice(from, 0, timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    if (timer) this.#cleared.add(timer);
  }

  run(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#timers[0]; next && next.at <= end; next = this.#timers[0]) {
      this.#timers.shift();
      if (this.#cleared.delete(next)) continue;
      this.#now = next.at;
      next.callback();
    }
    this.#now = end;
  }
}

/** Small, and the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 13), 0x297a2d39) >>> 0;
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** A worker that holds names until it is told, and lets go a little later. */
class SimulatedWorker {
  readonly worker = 1;
  readonly held = new Map<string, { serial: number; token: number }>();
  readonly claims = new Map<number, { name: string; serial: number }>();
  /** Serials of holders that were told to let go, by name: a newer claim waited, whatever has become of it since. */
  readonly leaving = new Map<string, number>();
  readonly members = new Map<string, Set<number>>();
  readonly present: PresenceChange[] = [];
  readonly got: [group: string, message: string][] = [];
  /** For each of them, which process does not get it. */
  readonly excepted: PidPair[] = [];
  readonly answers = new Map<number, [code: string, body: string]>();
  readonly server: SimulatedServer;
  ids = 1;

  constructor(server: SimulatedServer) {
    this.server = server;
  }

  presence(_group: string, change: PresenceChange): boolean {
    this.present.push(change);
    return true;
  }

  deliver(group: string, message: Buffer, except: PidPair): void {
    this.got.push([group, message.toString()]);
    this.excepted.push(except);
  }

  claimed(id: number, result: ClaimResult): void {
    const claim = this.claims.get(id);
    this.claims.delete(id);
    if (!claim || !("token" in result)) return;
    const before = this.held.get(claim.name);
    if (before && before.token >= result.token) throw new Error(`token of ${claim.name} went back`);
    this.held.set(claim.name, { serial: claim.serial, token: result.token });
    this.server.world.granted.push({
      ...{ name: claim.name, token: result.token, node: this.server.node, at: clock.now() },
    });
  }

  replace(name: string, serial: number): void {
    this.leaving.set(name, serial);
    clock.setTimeout(() => this.release(name, serial), this.server.world.random() * 20, true);
  }

  release(name: string, serial: number): void {
    if (this.held.get(name)?.serial === serial) this.held.delete(name);
    this.server.names?.names.release(this, name, serial);
  }

  request(name: string, { id, body, from }: HubRequest<Buffer>): boolean {
    const answer = `${this.server.node} has ${name}: ${body} from ${from[2] ?? "here"}`;
    this.server.names?.answer(this, id, "answer", Buffer.from(answer));
    return true;
  }

  answered(id: number, code: string, body: Buffer | string): void {
    this.answers.set(id, [code, body.toString()]);
  }
}

export class SimulatedServer {
  readonly world: World;
  readonly node: string;
  readonly worker: SimulatedWorker;
  readonly startedAt: number;
  readonly events: string[] = [];
  readonly contests: Contest[] = [];
  carrier: MemoryCarrier;
  hub: Hub<Buffer> | undefined = undefined;
  names: NameHub<Buffer> | undefined = undefined;
  nodes: Nodes | undefined = undefined;
  /** Milliseconds by which its wall clock is wrong. */
  skew = 0;
  readonly signals: string[] = [];
  refused: string | undefined = undefined;
  taken = 0;

  constructor(world: World, node: string, startedAt = clock.now() + world.random()) {
    this.world = world;
    this.node = node;
    this.startedAt = startedAt;
    this.worker = new SimulatedWorker(this);
    this.carrier = new MemoryCarrier(world.network);
  }

  /** Starts the exchange, which hears what its worker has. */
  start(side = 0): void {
    const tokens = new TokenClock(() => 1.76e12 + clock.now() + this.skew);
    const changed = (kind: number) => (name: string) => this.nodes?.changed(kind, name);
    const hub = new Hub<Buffer>(changed(PEER_KIND.group), (group, row) =>
      changed(PEER_KIND.presence)(presenceName(group, row)),
    );
    const onContested = (contest: Contest) => void this.contests.push(contest);
    const options = { tokens, node: this.node, onChanged: changed(PEER_KIND.name), onContested };
    const names = new NameHub<Buffer>(options, (bytes) => Buffer.from(bytes));
    if (this.world.mutant)
      names.names.setPeer = (peer, name, value) => void names.names.peers.set(peer, name, value);
    this.hub = hub;
    this.names = names;
    this.carrier = new MemoryCarrier(this.world.network);
    this.carrier.side = side;
    this.carrier.maxBytes = this.world.maxBytes;
    this.nodes = new Nodes(
      { node: this.node, startedAt: this.startedAt, nodeTimeout: 4_000 },
      {
        ...{
          hub,
          names,
          tokens,
          carrier: this.carrier,
          tables: [groupTable(hub), nameTable(names), presenceTable(hub)],
        },
        incarnation: Math.floor(this.world.random() * 2 ** 48)
          .toString(16)
          .padStart(16, "0"),
        onMessages: (group, records) => {
          const reader = new RecordReader();
          reader.push(records);
          for (let record = reader.next(); record !== undefined; record = reader.next()) {
            const except: PidPair = [record.body.readUInt16BE(0), record.body.readDoubleBE(2)];
            hub.publishHere(group, record.body.subarray(PUBLISH_HEAD), except);
          }
        },
        onSignal: (worker, serial, message) => void this.signals.push(`${worker}.${serial} ${message}`),
        onEvent: ({ event }) => void this.events.push(event),
        onRefused: (text) => void (this.refused = text),
        defer: (callback) => void clock.setTimeout(callback, 0),
      },
    );
    hub.attach(this.worker);
    for (const [group, members] of this.worker.members)
      for (const serial of members) hub.join(this.worker, group, serial);
    for (const [name, { serial, token }] of this.worker.held)
      names.names.restore(this.worker, name, serial, token);
    for (const [id, { name, serial }] of this.worker.claims)
      names.names.claim(this.worker, id, name, serial, false);
    void this.nodes.open();
  }

  get running(): boolean {
    return this.nodes !== undefined;
  }

  /** The exchange is killed; its worker goes on. */
  kill(): void {
    this.carrier.kill();
    void this.nodes?.close();
    this.nodes = undefined;
    this.names = undefined;
    this.hub = undefined;
  }

  claim(name: string): void {
    const id = ++this.worker.ids;
    this.worker.claims.set(id, { name, serial: id });
    this.names?.names.claim(this.worker, id, name, id, false);
  }

  join(group: string, serial: number): void {
    let members = this.worker.members.get(group);
    if (!members) this.worker.members.set(group, (members = new Set()));
    members.add(serial);
    this.hub?.join(this.worker, group, serial);
  }

  leave(group: string, serial: number): void {
    this.worker.members.get(group)?.delete(serial);
    this.hub?.leave(this.worker, group, serial);
  }
}

export class World {
  readonly clock = new SimulatedClock();
  readonly random: () => number;
  readonly network: MemoryNetwork;
  readonly servers: SimulatedServer[] = [];
  readonly granted: {
    readonly name: string;
    readonly token: number;
    readonly node: string;
    readonly at: number;
  }[] = [];
  mutant = false;
  maxBytes = 64 * 1024;
  readonly #restore: () => void;

  constructor(seed: number) {
    this.random = randomFrom(seed);
    this.#restore = useClock(this.clock);
    this.network = new MemoryNetwork(this.random);
  }

  add(node: string): SimulatedServer {
    const server = new SimulatedServer(this, node);
    this.servers.push(server);
    return server;
  }

  close(): void {
    for (const server of this.servers) server.kill();
    this.#restore();
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)] as T;
  }
}

const NAMES = ["a", "b", "c", "d"];
const GROUPS = ["g", "h"];
/** Milliseconds: longer than all that a server waits for, but for claims of contested names. */
const QUIET = 12_000;

/**
 * Runs one random schedule.
 * @returns what is wrong when all is healed and quiet; empty: nothing
 */
export function runSchedule(seed: number, mutant = false): string[] {
  const world = new World(seed);
  world.mutant = mutant;
  if (world.random() < 0.3) world.maxBytes = 300;
  try {
    const servers = ["n1", "n2", "n3"].map((node) => world.add(node));
    for (const server of servers) server.skew = (world.random() - 0.5) * 2_000;
    for (const server of servers) server.start();
    world.clock.run(world.random() * 2_000);
    const steps = 5 + Math.floor(world.random() * 40);
    for (let at = 0; at < steps; at++) randomStep(world);
    return heal(world);
  } finally {
    world.close();
  }
}

function randomStep(world: World): void {
  const server = world.pick(world.servers);
  const name = world.pick(NAMES);
  const group = world.pick(GROUPS);
  const what = world.random();
  if (what < 0.35) server.claim(name);
  else if (what < 0.42) server.worker.release(name, server.worker.held.get(name)?.serial ?? 0);
  else if (what < 0.52) server.join(group, Math.floor(world.random() * 5) + 2);
  else if (what < 0.58) server.leave(group, Math.floor(world.random() * 5) + 2);
  else if (what < 0.64) server.carrier.side = world.random() < 0.5 ? 0 : 1;
  else if (what < 0.68) server.carrier.setUp(!server.carrier.up);
  else if (what < 0.72) world.network.loss = world.random() * 0.3;
  else if (what < 0.76) world.network.latency = world.pick([1, 5, 50, 300]);
  else if (what < 0.8 && server.running) server.kill();
  else if (what < 0.84 && !server.running) server.start(server.carrier.side);
  world.clock.run(world.pick([0, 1, 10, 100, 1_000, 6_000]) * world.random());
}

function heal(world: World): string[] {
  world.network.loss = 0;
  world.network.latency = 5;
  for (const server of world.servers) {
    if (!server.running) server.start();
    server.carrier.side = 0;
    server.carrier.setUp(true);
  }
  const before = world.granted.length;
  const healedAt = clock.now();
  const held = world.servers.flatMap(({ node, worker }) =>
    [...worker.held]
      .filter(([name, { serial }]) => worker.leaving.get(name) !== serial)
      .map(([name, { token }]) => ({ name, token, node })),
  );
  world.clock.run(QUIET);
  // Claims of names that are contested wait up to 10 s, one behind the other.
  for (let more = 0; more < 450 && world.servers.some(({ worker }) => worker.claims.size > 0); more++)
    world.clock.run(1_000);
  world.clock.run(QUIET);
  const wrong: string[] = [];
  const claimed = [...held, ...world.granted.slice(before)];
  for (const name of NAMES) {
    const holders = world.servers.flatMap(({ node, worker }) => {
      const one = worker.held.get(name);
      return one ? [{ node, token: one.token }] : [];
    });
    const newest = claimed
      .filter((one) => one.name === name)
      .sort((a, b) => b.token - a.token || (a.node < b.node ? 1 : -1))[0];
    // A newer claim that was let go within the last 2 s, of which the others hear only now: it had won.
    const recent = world.granted
      .slice(0, before)
      .some(
        (one) => one.name === name && one.at > healedAt - 2_600 && one.token > (newest?.token ?? Infinity),
      );
    if (recent && holders.length === 0) {
      // All views are compared below.
    } else if (holders.length !== (newest ? 1 : 0)) wrong.push(`${name} has ${holders.length} holders`);
    else if (newest && !recent && holders[0]?.token !== newest.token)
      wrong.push(`${name} is not held by the newest claim`);
    for (const { node, names } of world.servers) {
      const own = names?.names.holder(name);
      const peer = names?.names.peerHolder(name);
      const seen = peer ? [peer.peer.node, peer.token] : own && [node, own.token];
      const truth = holders[0] && [holders[0].node, holders[0].token];
      if (String(seen) !== String(truth)) wrong.push(`${node} sees ${name} at ${seen}, it is at ${truth}`);
    }
  }
  for (const group of GROUPS) {
    const truth = world.servers.reduce((sum, { worker }) => sum + (worker.members.get(group)?.size ?? 0), 0);
    for (const { node, hub } of world.servers)
      if (hub?.count(group) !== truth)
        wrong.push(`${node} counts ${hub?.count(group)} members of ${group}, not ${truth}`);
  }
  for (const { node, nodes, worker } of world.servers) {
    if (nodes?.peers.some(({ state }) => state !== "up")) wrong.push(`${node} does not see all servers up`);
    if (worker.claims.size > 0) wrong.push(`${node} has claims that were not decided`);
    if ((nodes?.incoming.malformed ?? 0) > 0) wrong.push(`${node} got malformed records`);
  }
  return wrong;
}
