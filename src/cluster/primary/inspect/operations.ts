/** Operations that the admin server offers (`Control`), answered by the primary and its workers. */
import type { Explanation } from "../../../config/config.js";
import type {
  AddressList,
  AddressQuery,
  ConnectionList,
  ConnectionQuery,
} from "../../../control/connections.js";
import type { AskedOver, Control, LogLevel } from "../../../control/control.js";
import type { GroupList, GroupView, NameList } from "../../../control/groups.js";
import type { LimitChange, LimitRequest, LimitRow } from "../../../control/limits.js";
import type { NodeList } from "../../../control/nodes.js";
import type {
  AddressBan,
  CertificateReload,
  Draining,
  EventFilter,
  ListenerState,
  LogRecord,
  ProgramInfo,
  Readiness,
  Restarted,
} from "../../../control/program.js";
import type { Stats, StatsHistory } from "../../../control/stats.js";
import type { TraceLine } from "../../../control/trace.js";
import type { StateView, TreeNode } from "../../../control/tree.js";
import { clock } from "../../../otp/time/clock.js";
import { findListener } from "../admission/suspend.js";
import { Changes } from "../changes/changes.js";
import type { PrimaryOptions } from "../options.js";
import type { Primary } from "../primary.js";
import { shownState } from "../workers/worker-slot.js";
import { History } from "./history.js";
import { HubOperations } from "./hub-operations.js";
import { listenerInfo } from "./listener-info.js";
import { nodeList } from "./node-list.js";
import { Processes } from "./processes.js";
import { drawProgramTree } from "./program-tree.js";
import { health, programStatus, readiness } from "./readiness.js";
import { Views } from "./views.js";

export class Operations implements Control {
  readonly #primary: Primary;
  readonly #options: PrimaryOptions;
  readonly #views: Views;
  readonly #changes: Changes;
  readonly #processes: Processes;
  readonly #hub: HubOperations;
  readonly #history: History;

  constructor(primary: Primary, options: PrimaryOptions) {
    this.#primary = primary;
    this.#options = options;
    this.#views = new Views(primary, options);
    this.#changes = new Changes(primary, options, (query) => this.connections(query));
    this.#processes = new Processes(primary);
    this.#hub = new HubOperations(primary, options);
    const { metrics } = options;
    this.#history = new History(() => ({
      totals: metrics.totals(),
      workers: primary.pool.slots.map(({ slot }) => metrics.numbers(slot)),
    }));
    // Never stopped: it also shows how the program goes down.
    this.#history.start();
  }

  tree(connections: number): Promise<TreeNode> {
    return drawProgramTree(this.#primary, this.#options.config.name, this.#options.admin(), connections);
  }

  async info(): Promise<ProgramInfo> {
    const { config, version, metrics } = this.#options;
    const { listeners } = this.#primary;
    const { active, accepted, closed } = metrics.connections();
    return {
      name: config.name,
      version,
      node: process.version,
      osPid: process.pid,
      uptimeSeconds: Math.round((clock.now() - this.#primary.startedAt) / 1000),
      protocol: [...new Set(listeners.map(({ protocol }) => protocol))].join(", "),
      address: listeners.map((listener) => listener.addressText).join(", "),
      listeners: listeners.map(listenerInfo),
      admin: this.#options.admin(),
      transport: this.#options.transport,
      groups: this.#options.releases.all.some(({ groups }) => groups),
      workers: this.#primary.pool.slots.map((slot) => ({
        worker: slot.slot,
        osPid: slot.process?.osPid ?? 0,
        state: shownState(slot),
        restarts: slot.restarts,
      })),
      certificates: this.#primary.certificates.served,
      connections: { active, accepted, closed },
      restartsLeft: this.#primary.root?.restartsLeft ?? 0,
    };
  }

  inspect(pid: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    return this.#processes.inspect(pid);
  }

  kill(pid: string, reason: string): Promise<boolean> {
    return this.#processes.kill(pid, reason);
  }

  async connections(query: ConnectionQuery): Promise<ConnectionList> {
    if (query.listener !== undefined) findListener(this.#primary.listeners, query.listener);
    return this.#views.connections(query);
  }

  async addresses(query: AddressQuery): Promise<AddressList> {
    if (query.listener !== undefined) findListener(this.#primary.listeners, query.listener);
    return this.#views.addresses(query);
  }

  state(pid: string): Promise<StateView | undefined> {
    return this.#views.state(pid);
  }

  trace(pid: string, signal: AbortSignal, onLine: (line: TraceLine) => void): Promise<boolean> {
    return this.#views.trace(pid, signal, onLine);
  }

  stats(): Stats {
    return this.#views.stats(programStatus(this.#primary, this.#changes.drain));
  }

  history(): StatsHistory {
    return this.#history.rows;
  }

  follow(signal: AbortSignal, onRecord: (record: LogRecord) => void): void {
    this.#views.follow(signal, onRecord);
  }

  events(filter: EventFilter): readonly LogRecord[] {
    return this.#views.events(filter);
  }

  followEvents(filter: EventFilter, signal: AbortSignal, onRecord: (record: LogRecord) => void): void {
    this.#views.followEvents(filter, signal, onRecord);
  }

  suspend(listener?: string): Promise<readonly ListenerState[]> {
    return this.#primary.pool.suspension.suspend(listener);
  }

  resume(listener?: string): Promise<readonly ListenerState[]> {
    return this.#changes.resume(listener);
  }

  drain(deadlineMs: number, listener?: string): Draining {
    return this.#changes.drain.begin(deadlineMs, listener);
  }

  draining(listener?: string): Draining {
    return this.#changes.drain.state(listener);
  }

  scale(workers: number): Promise<{ readonly before: number; readonly workers: number }> {
    return this.#changes.scale.to(workers);
  }

  restart(worker: number, deadlineMs: number): Promise<Restarted> {
    return this.#changes.restart.run(worker, deadlineMs);
  }

  limits(listener?: string): readonly LimitRow[] {
    return this.#changes.limits.rows(listener);
  }

  limit(request: LimitRequest, by: string): Promise<LimitChange> {
    return this.#changes.limit(request, by);
  }

  ban(address: string, ms: number): void {
    this.#changes.ban(address, ms);
  }

  unban(address: string): void {
    this.#changes.unban(address);
  }

  bans(): readonly AddressBan[] {
    return this.#primary.pool.addresses.ledger.bans();
  }

  reloadCertificates(over: AskedOver): Promise<readonly CertificateReload[]> {
    return this.#primary.certificates.reload(`asked over the ${over}`);
  }

  ask(name: string, body: unknown, withinMs: number): Promise<unknown> {
    return this.#hub.ask(name, body, withinMs);
  }

  publish(group: string, body: unknown): Promise<number | undefined> {
    return this.#hub.publish(group, body);
  }

  nodes(): NodeList {
    return nodeList(this.#primary.exchange.process?.numbers?.nodes);
  }

  groups(limit: number): Promise<GroupList> {
    return this.#hub.groups(limit);
  }

  group(name: string): Promise<GroupView> {
    return this.#hub.group(name);
  }

  names(prefix: string, limit: number): Promise<NameList> {
    return this.#hub.names(prefix, limit);
  }

  logLevel(level: LogLevel): void {
    this.#primary.setLogLevel(level);
  }

  loggedLevel(): LogLevel {
    return this.#options.log.level;
  }

  stop(over: AskedOver): void {
    this.#options.onStop(over);
  }

  config(): readonly Explanation[] {
    return this.#options.explain();
  }

  metrics(): Promise<string> {
    this.#primary.restartMetrics.update();
    return this.#options.metrics.render();
  }

  async freshMetrics(): Promise<string> {
    const missing = await this.#primary.pool.refreshSnapshots();
    const notes = missing.map(
      (worker) =>
        `# worker ${worker} has not answered within a second: its numbers are those of its last report\n`,
    );
    return (await this.metrics()) + notes.join("");
  }

  health(): Readiness {
    return health(this.#primary);
  }

  ready(): Readiness {
    return readiness(this.#primary, this.#changes.drain);
  }
}
