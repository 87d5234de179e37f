/** A program that only exists in memory: the tree of the design's picture, whose processes can be killed. */
import type { Explanation } from "../../src/config/config.js";
import type {
  AddressList,
  AddressQuery,
  AddressRow,
  ConnectionList,
  ConnectionQuery,
  ConnectionRow,
} from "../../src/control/connections.js";
import type { AskedOver, Control, LogLevel } from "../../src/control/control.js";
import { Refusal } from "../../src/control/errors.js";
import type { GroupList, GroupView, NameList } from "../../src/control/groups.js";
import type { LimitChange, LimitRequest, LimitRow } from "../../src/control/limits.js";
import type { NodeList } from "../../src/control/nodes.js";
import type {
  CertificateReload,
  Draining,
  EventFilter,
  ListenerState,
  LogRecord,
  ProgramInfo,
  Readiness,
  Restarted,
} from "../../src/control/program.js";
import { HISTORY_COLUMNS, type Stats, type StatsHistory } from "../../src/control/stats.js";
import type { TraceLine } from "../../src/control/trace.js";
import type { StateView, TreeNode } from "../../src/control/tree.js";

export class FakeControl implements Control {
  root: TreeNode = picture();
  health_: Readiness = { ok: true, status: "well", workers: 2 };
  ready_: Readiness = { ok: true, status: "ready", workers: 2 };
  osPid = 4100;
  /** Calls that changed something. */
  readonly changes: string[] = [];
  /** What `stop` does beyond being noted. */
  onStop: () => void = () => {};
  /** Thrown by `metrics`. */
  failure: Error | undefined = undefined;
  /** The answer of `ask`, or what it throws. */
  asking: unknown = { value: 7 };
  /** How often `metrics` was made, and what it waits for. */
  rendered = 0;
  rendering: Promise<void> = Promise.resolve();
  /** What the list was last asked for. */
  asked: ConnectionQuery | AddressQuery | undefined = undefined;
  /** Of the two that the picture has. */
  rows: ConnectionRow[] = [row(17, "talking", "10.0.0.7:51234"), row(19, "greeting", "10.0.0.9:40012")];
  /** Who follows, and who traces what. */
  readonly followers = new Set<(record: LogRecord) => void>();
  readonly tracers = new Map<(line: TraceLine) => void, string>();
  /** Told to whoever begins to follow. */
  past: LogRecord[] = [];
  /** Of the last question for events. */
  filter: EventFilter | undefined = undefined;
  drain_: Draining = { status: "idle", before: 0, active: 2, remainingMs: 0, unfinished: [], cut: 0 };
  listenerState = "listening";
  workers = 2;
  level: LogLevel = "info";
  certificates: ProgramInfo["certificates"] = [];
  reloads: readonly CertificateReload[] = [{ listener: "main", result: "reloaded", warnings: [] }];

  events(filter: EventFilter): readonly LogRecord[] {
    this.filter = filter;
    return this.past;
  }

  followEvents(filter: EventFilter, signal: AbortSignal, onRecord: (record: LogRecord) => void): void {
    this.filter = filter;
    this.follow(signal, onRecord);
  }

  async restart(worker: number, deadlineMs: number): Promise<Restarted> {
    this.changes.push(`restart ${worker} ${deadlineMs}`);
    return { worker, before: 4101, osPid: 4103, connections: 3, stopped: 1 };
  }

  limits_: LimitRow[] = [
    { limit: "max-connections", listener: null, value: 500, text: "500", origin: "flag", changed: null },
    {
      ...{ limit: "max-per-address", listener: "main", value: 10, text: "10", origin: "changed" },
      changed: { at: 1_700_000_000_000, by: "uid 0", configured: "none of its own" },
    },
  ];
  /** The answer to a change of a limit. */
  limited: LimitChange = { changes: [], workers: [], notes: [] };

  limits(listener?: string): readonly LimitRow[] {
    return this.limits_.filter((row) => listener === undefined || row.listener === listener);
  }

  async limit(request: LimitRequest, by: string): Promise<LimitChange> {
    this.changes.push(`limit ${JSON.stringify(request)} by ${by}`);
    if (request.limit === "nothing") throw new Refusal("invalid", 'no limit "nothing"');
    return this.limited;
  }

  async ask(name: string, body: unknown, withinMs: number): Promise<unknown> {
    this.changes.push(`ask ${name} ${JSON.stringify(body)} ${withinMs}`);
    if (this.asking instanceof Error) throw this.asking;
    return this.asking;
  }

  async publish(group: string, body: unknown): Promise<number | undefined> {
    this.changes.push(`publish ${group} ${JSON.stringify(body)}`);
    return { "room/general": 31, lobby: 0 }[group];
  }

  async groups(limit: number): Promise<GroupList> {
    const groups = [
      { name: "room/general", members: 31 },
      { name: "room/two", members: 1 },
    ];
    return { groups: groups.slice(0, limit), total: 2 };
  }

  async group(name: string): Promise<GroupView> {
    if (name !== "room/two") return { name, members: [], present: [] };
    const present = [{ pid: "<1.17>", key: "ada\n", info: { device: "phone" } }];
    return { name, members: ["<1.17>", "<2.4>"], present };
  }

  nodes(): NodeList {
    return {
      node: "gw1",
      carrier: { name: "NATS", up: true, server: "nats://n1:4222", roundTrip: 0.42, reconnects: 0 },
      nodes: [
        { node: "gw2", state: "up", seconds: 3_600, roundTrip: 1.284, waiting: 0 },
        { node: "gw3", state: "down", seconds: 5, roundTrip: undefined, waiting: 0 },
      ],
    };
  }

  async names(prefix: string, limit: number): Promise<NameList> {
    const names = [
      { name: "device/4", pid: "<1.17>", token: 7 },
      { name: "device/42", pid: "<2.19>", token: 9 },
    ];
    return { names: names.filter(({ name }) => name.startsWith(prefix)).slice(0, limit), total: 2 };
  }

  async tree(connections: number): Promise<TreeNode> {
    return shortened(this.root, connections);
  }

  async info(): Promise<ProgramInfo> {
    return {
      name: "drover",
      version: "0.1.0",
      node: "v20.19.0",
      osPid: this.osPid,
      uptimeSeconds: 10_920,
      protocol: "chat",
      address: "[::]:2222",
      listeners: [
        {
          ...{ listener: "main", protocol: "chat", address: "[::]:2222", transport: "stream" },
          ...{ tls: false, proxy: false, maxConnections: null, suspended: false },
        },
      ],
      admin: "127.0.0.1:9464",
      transport: "stream",
      groups: false,
      workers: [
        { worker: 1, osPid: 4121, state: "running", restarts: 0 },
        { worker: 2, osPid: 4377, state: "running", restarts: 1 },
      ],
      certificates: this.certificates,
      connections: { active: 2, accepted: 12, closed: 10 },
      restartsLeft: 4,
    };
  }

  async inspect(pid: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const found = find(this.root, pid);
    return found && { pid, name: found.name, state: found.state ?? "running", links: ["<1.3>"], queue: 0 };
  }

  async kill(pid: string, reason: string): Promise<boolean> {
    if (find(this.root, pid) === undefined) return false;
    this.changes.push(`kill ${pid} ${reason}`);
    return true;
  }

  stop(over: AskedOver): void {
    this.changes.push(`stop over the ${over}`);
    this.onStop();
  }

  config(): readonly Explanation[] {
    return [
      {
        key: "port",
        value: 2222,
        text: "2222",
        origin: "default",
        flag: "--port",
        env: "DROVER_PORT",
        sentence: "TCP port to serve.",
      },
      {
        key: "idleTimeout",
        value: 120_000,
        text: "2m",
        origin: "flag",
        flag: "--idle-timeout",
        env: "DROVER_IDLE_TIMEOUT",
        sentence: "Idle timeout of a connection.",
      },
    ];
  }

  async connections(query: ConnectionQuery): Promise<ConnectionList> {
    this.asked = query;
    return {
      total: this.rows.length,
      matched: this.rows.length,
      rows: this.rows.slice(0, query.limit),
      missing: [],
    };
  }

  async addresses(query: AddressQuery): Promise<AddressList> {
    this.asked = query;
    const [total, matched, addresses] = [this.rows.length, this.rows.length, 2];
    const rows = [addressRow("10.0.0.7", 1), addressRow("2001:db8:0:1::/64", 1)].slice(0, query.limit);
    return { total, matched, addresses, complete: true, rows, missing: [] };
  }

  async state(pid: string): Promise<StateView | undefined> {
    const found = find(this.root, pid);
    if (!found) return undefined;
    const { name, state } = found;
    return {
      pid,
      name,
      ...(state && { state }),
      data: "{ nick: 'ann' }",
      status: { buffered: 0, links: ["<1.3>"] },
    };
  }

  async trace(pid: string, signal: AbortSignal, onLine: (line: TraceLine) => void): Promise<boolean> {
    if (find(this.root, pid) === undefined) return false;
    this.tracers.set(onLine, pid);
    signal.addEventListener("abort", () => this.tracers.delete(onLine));
    return true;
  }

  /** Tells all who trace. */
  traced(line: TraceLine): void {
    for (const onLine of this.tracers.keys()) onLine(line);
  }

  stats(): Stats {
    return stats();
  }

  history(): StatsHistory {
    const { at, totals } = stats();
    const rows = [
      null,
      HISTORY_COLUMNS.map((name) => ({ ...totals, loopLagMs: 1.5, residentBytes: 120e6 })[name]),
    ];
    return { from: at - 1_000, everyMs: 1_000, columns: HISTORY_COLUMNS, rows };
  }

  follow(signal: AbortSignal, onRecord: (record: LogRecord) => void): void {
    for (const record of this.past) onRecord(record);
    this.followers.add(onRecord);
    signal.addEventListener("abort", () => this.followers.delete(onRecord));
  }

  /** Tells all who follow. */
  logged(record: LogRecord): void {
    for (const onRecord of this.followers) onRecord(record);
  }

  async suspend(listener = "main"): Promise<readonly ListenerState[]> {
    return this.#listeners("suspended", listener);
  }

  async resume(listener = "main"): Promise<readonly ListenerState[]> {
    return this.#listeners("listening", listener);
  }

  #listeners(state: string, listener: string): ListenerState[] {
    this.changes.push(`${state} ${listener}`);
    this.listenerState = state;
    return [1, 2].map((worker) => ({ worker, listener, state }));
  }

  drain(deadlineMs: number, listener?: string): Draining {
    this.changes.push(`drain ${deadlineMs}${listener === undefined ? "" : ` ${listener}`}`);
    this.drain_ = { ...this.drain_, status: "draining", before: 2, remainingMs: deadlineMs };
    return this.drain_;
  }

  draining(_listener?: string): Draining {
    return this.drain_;
  }

  async scale(workers: number): Promise<{ readonly before: number; readonly workers: number }> {
    if (workers < 1 || workers > 1024) throw new RangeError("workers must be a whole number from 1 to 1024");
    this.changes.push(`scale ${workers}`);
    const before = this.workers;
    this.workers = workers;
    return { before, workers };
  }

  async reloadCertificates(): Promise<readonly CertificateReload[]> {
    this.changes.push("reload-tls");
    return this.reloads;
  }

  readonly banned = new Map<string, number>();

  ban(address: string, ms: number): void {
    this.changes.push(`ban ${address} ${ms}`);
    this.banned.set(address, ms);
  }

  unban(address: string): void {
    if (!this.banned.delete(address)) throw new Refusal("unknown", `${address} is not banned`);
    this.changes.push(`unban ${address}`);
  }

  bans(): readonly { readonly address: string; readonly ms: number }[] {
    return [...this.banned].map(([address, ms]) => ({ address, ms }));
  }

  loggedLevel(): LogLevel {
    return this.level;
  }

  logLevel(level: LogLevel): void {
    this.level = level;
    this.changes.push(`log ${level}`);
  }

  async metrics(): Promise<string> {
    this.rendered++;
    await this.rendering;
    if (this.failure) throw this.failure;
    return "drover_connections_active 2\n";
  }

  async freshMetrics(): Promise<string> {
    return this.metrics();
  }

  health(): Readiness {
    return this.health_;
  }

  ready(): Readiness {
    return this.ready_;
  }
}

type Rest = Partial<Omit<TreeNode, "pid" | "name" | "detail">>;

export function node(pid: string, name: string, detail: string, rest: Rest = {}): TreeNode {
  return { pid, name, detail, kind: "process", children: [], ...rest };
}

export function row(serial: number, state: string, peer: string): ConnectionRow {
  return {
    pid: `<1.${serial}>`,
    worker: 1,
    listener: "main",
    state,
    peer,
    ageMs: 60_000,
    idleMs: 12_000,
    framesReceived: 30,
    framesSent: 31,
    bytesReceived: 3_000,
    bytesSent: 3_100,
    outbound: 0,
    messageQueueLength: 0,
    ...{ names: 0, groups: 0, missed: 0 },
  };
}

function addressRow(address: string, connections: number): AddressRow {
  return {
    ...{ address, connections, oldestMs: 60_000, idleMs: 12_000, framesReceived: 30, framesSent: 31 },
    ...{ bytesReceived: 3_000, bytesSent: 3_100, outbound: 0 },
  };
}

function stats(): Stats {
  const counted = {
    ...{ active: 2, accepted: 12, closed: 10, framesReceived: 300, framesSent: 310 },
    ...{ bytesReceived: 30_000, bytesSent: 31_000, crashes: 1 },
  };
  const worker = {
    ...{
      worker: 1,
      osPid: 4121,
      state: "running",
      overload: [],
      restarts: 0,
      snapshotAgeMs: 400,
      ...counted,
    },
    ...{
      outbound: 0,
      readsPaused: 0,
      loopLagMs: 1.5,
      residentBytes: 60e6,
      heapUsedBytes: 20e6,
      cpuSeconds: 3,
    },
  };
  const second = { ...worker, worker: 2, osPid: 4377, restarts: 1, snapshotAgeMs: null };
  return {
    at: 1_795_000_000_000,
    workers: [worker, { ...second, active: 0, accepted: 0, closed: 0, framesReceived: 0 }],
    listeners: [
      {
        ...{ listener: "main", protocol: "chat", address: "[::]:2222", transport: "stream" },
        ...{ tls: false, proxy: false, suspended: false, acceptQueue: 3 },
        ...{ ...counted, maxConnections: 10_000, outbound: 0, acceptingWorkers: 2 },
      },
    ],
    totals: { ...counted, restarts: 1 },
    closedBy: { closed: 8, idle: 1, crash: 1 },
    refusedBy: { max_connections: 2 },
    acceptQueueOverflows: 0,
    restartsLeft: 4,
    status: "running",
  };
}

function picture(): TreeNode {
  const clients = [
    node("<1.17>", "chat", "10.0.0.7:51234, idle 12s", { kind: "connection", state: "talking" }),
    node("<1.19>", "chat", "10.0.0.9:40012", { kind: "connection", state: "greeting" }),
  ];
  const server = node("<1.2>", "tcp_server", "one_for_one 5/60s", {
    kind: "supervisor",
    children: [
      node("<1.3>", "connections", "2 of 10000, temporary, shutdown 2s", {
        kind: "supervisor",
        states: { talking: 1, greeting: 1 },
        children: clients,
      }),
      node("<1.4>", "listener", "[::]:2222 running", { kind: "listener", state: "running" }),
    ],
  });
  return node("<0.1>", "drover", "one_for_one 5/60s", {
    kind: "supervisor",
    children: [
      node("<0.2>", "admin", "127.0.0.1:9464 + control socket", { kind: "admin" }),
      node("<1.1>", "worker 1", "up 3h", { kind: "worker", osPid: 4121, children: [server] }),
      node("<2.1>", "worker 2", "up 4s, restarted 1", { kind: "worker", osPid: 4377 }),
    ],
  });
}

function find(from: TreeNode, pid: string): TreeNode | undefined {
  if (from.pid === pid) return from;
  return from.children.map((child) => find(child, pid)).find((found) => found !== undefined);
}

function shortened(from: TreeNode, connections: number): TreeNode {
  const children = from.children.map((child) => shortened(child, connections));
  const listed = from.name === "connections" ? children.slice(0, connections) : children;
  const more = children.length - listed.length;
  return more === 0 ? { ...from, children } : { ...from, children: listed, more };
}
