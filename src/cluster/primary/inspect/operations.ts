/** Operations that the admin server offers (`Control`), answered by the primary and its workers. */

import type { Explanation } from "../../../config/config.js";
import type {
  AddressList,
  AddressQuery,
  ConnectionList,
  ConnectionQuery,
} from "../../../control/connections.js";
import type { AskedOver, Control, LogLevel } from "../../../control/control.js";
import { Refusal, WorkerSilent } from "../../../control/errors.js";
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
import { parsePid } from "../../../otp/process/pid.js";
import { processOf } from "../../../otp/process/process.js";
import { exit } from "../../../otp/process/signals.js";
import { clock } from "../../../otp/time/clock.js";
import { addressText } from "../../../text/address.js";
import type { Served, WorkerRequest } from "../../channel/messages.js";
import { processInfo } from "../../inspect/process-info.js";
import { logCutConnections } from "../admission/connections/cut-connections.js";
import { Drain } from "../admission/drain.js";
import { LimitChanges } from "../admission/limits/limit-changes.js";
import { findListener } from "../admission/suspend.js";
import type { PrimaryOptions } from "../options.js";
import type { Primary } from "../primary.js";
import { RECYCLE_DEADLINE, Recycle } from "../workers/recycle.js";
import { RestartWorker } from "../workers/restart-worker.js";
import { Scale } from "../workers/scale.js";
import { WorkerProcess } from "../workers/worker-process.js";
import { shownState } from "../workers/worker-slot.js";
import { History } from "./history.js";
import { HubOperations } from "./hub-operations.js";
import { listenerInfo } from "./listener-info.js";
import { nodeList } from "./node-list.js";
import { drawProgramTree } from "./program-tree.js";
import { health, programStatus, readiness } from "./readiness.js";
import { Views } from "./views.js";

/** Most connections listed that a drain had to shut down. */
const MAX_UNFINISHED = 1_000;

export class Operations implements Control {
  readonly #primary: Primary;
  readonly #options: PrimaryOptions;
  readonly #views: Views;
  readonly #drain: Drain;
  readonly #scale: Scale;
  readonly #restart: RestartWorker;
  readonly #limits: LimitChanges;
  readonly #recycle: Recycle;
  readonly #hub: HubOperations;
  readonly #history: History;

  constructor(primary: Primary, options: PrimaryOptions) {
    this.#primary = primary;
    this.#options = options;
    this.#views = new Views(primary, options);
    const listed = { sort: "pid", order: "asc", limit: MAX_UNFINISHED } as const;
    this.#drain = new Drain({
      suspension: primary.pool.suspension,
      listeners: primary.listeners,
      slots: () => primary.pool.slots,
      list: async (listener) =>
        (await this.connections({ ...listed, ...(listener !== undefined && { listener }) })).rows,
      onCut: (listener, rows, cut) => {
        const of = listener === undefined ? "" : ` of listener ${listener}`;
        logCutConnections(options.log, `drain deadline${of} reached`, rows, cut);
      },
    });
    this.#scale = new Scale(primary, {
      list: async (worker) => (await this.connections({ ...listed, worker })).rows,
      onCut: (rows, cut) => logCutConnections(options.log, "scale deadline reached", rows, cut),
    });
    this.#restart = new RestartWorker(primary, {
      log: options.log,
      list: async (worker) => (await this.connections({ ...listed, worker })).rows,
      onCut: (rows, cut) => logCutConnections(options.log, "restart deadline reached", rows, cut),
    });
    this.#recycle = new Recycle({
      slots: () => primary.pool.slots,
      maxMemory: () => primary.pool.limits.overload.maxMemory,
      restart: (worker) => this.#restart.run(worker, RECYCLE_DEADLINE),
      replaced: (worker) => options.metrics.recycled(worker),
      log: options.log,
    });
    this.#hub = new HubOperations(primary, options);
    primary.pool.onChange.add(() => {
      this.#drain.check();
      this.#scale.check();
      this.#restart.check();
      this.#recycle.check();
    });
    const { pool, listeners } = primary;
    this.#limits = new LimitChanges({
      ...{ limits: pool.limits, addresses: pool.addresses, maxConnections: pool.maxConnections, listeners },
      acceptRates: pool.acceptRates,
      full: pool.full,
      slots: () => pool.slots,
      refreshSnapshots: () => pool.refreshSnapshots(),
      room: () => options.maxConnections(pool.slots.length),
      explain: options.explain,
    });
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

  async inspect(text: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const pid = parsePid(text);
    const worker = pid && this.#primary.pool.slots[pid.worker - 1]?.process;
    if (!pid) return undefined;
    if (pid.worker > 0 && pid.serial > 1) {
      const answer = worker && (await this.#ask(worker, { name: "inspect", serial: pid.serial }));
      return (answer as Record<string, unknown> | null | undefined) ?? undefined;
    }
    const found = pid.worker === 0 ? processOf(pid) : worker;
    if (!found?.alive) return undefined;
    if (!(found instanceof WorkerProcess)) return processInfo(found);
    const { osPid, state, uptimeMs, serving = [] } = found;
    const facts = { ...processInfo(found), osPid, state, uptimeSeconds: Math.round(uptimeMs / 1000) };
    return { ...facts, ...servedFacts(serving) };
  }

  async kill(text: string, reason: string): Promise<boolean> {
    const pid = parsePid(text);
    if (!pid) return false;
    const worker = this.#primary.pool.slots[pid.worker - 1]?.process;
    if (pid.worker > 0 && pid.serial > 1) {
      return worker
        ? (await this.#ask(worker, { name: "kill", serial: pid.serial, reason })) === true
        : false;
    }
    const found = pid.worker === 0 ? processOf(pid) : worker;
    if (!found?.alive) return false;
    exit(found.pid, reason);
    return true;
  }

  async #ask(worker: WorkerProcess, request: WorkerRequest): Promise<unknown> {
    if (!worker.serving || !worker.alive) return null;
    const answer = await worker.request(request);
    if (answer === undefined) throw new WorkerSilent(worker.slot);
    return answer;
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
    return this.#views.stats(programStatus(this.#primary, this.#drain));
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
    if (this.#primary.stopping) throw new Refusal("conflict", "the program is stopping");
    const resumed = this.#primary.pool.suspension.resume(listener);
    this.#drain.end(listener);
    return resumed;
  }

  drain(deadlineMs: number, listener?: string): Draining {
    return this.#drain.begin(deadlineMs, listener);
  }

  draining(listener?: string): Draining {
    return this.#drain.state(listener);
  }

  scale(workers: number): Promise<{ readonly before: number; readonly workers: number }> {
    return this.#scale.to(workers);
  }

  restart(worker: number, deadlineMs: number): Promise<Restarted> {
    return this.#restart.run(worker, deadlineMs);
  }

  limits(listener?: string): readonly LimitRow[] {
    return this.#limits.rows(listener);
  }

  limit(request: LimitRequest, by: string): Promise<LimitChange> {
    if (this.#primary.stopping) throw new Refusal("conflict", "the program is stopping");
    return this.#limits.change(request, by);
  }

  ban(address: string, ms: number): void {
    this.#primary.pool.addresses.ledger.ban(address, ms);
    this.#primary.pool.sendBans();
  }

  unban(address: string): void {
    if (!this.#primary.pool.addresses.ledger.unban(address))
      throw new Refusal("unknown", `${address} is not banned: \`drover bans\` lists the addresses that are`);
    this.#primary.pool.sendBans();
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
    await this.#primary.pool.refreshSnapshots();
    return this.metrics();
  }

  health(): Readiness {
    return health(this.#primary);
  }

  ready(): Readiness {
    return readiness(this.#primary, this.#drain);
  }
}

/** Of the only listener its address and transport; of several a line each. */
function servedFacts(serving: readonly Served[]): Record<string, unknown> {
  const [only, ...more] = serving;
  if (only !== undefined && more.length === 0) {
    const { address, port, transport } = only;
    return { address, port, transport };
  }
  return Object.fromEntries(
    serving.map(({ listener, address, port, transport }) => [
      `listener ${listener}`,
      `${addressText(address, port)} ${transport}`,
    ]),
  );
}
