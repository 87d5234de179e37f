/** Operations on the running program, as the admin server offers them: cluster implements them, a route calls each. */
import type { Config, Explanation } from "../config/config.js";
import type { AddressList, AddressQuery, ConnectionList, ConnectionQuery } from "./connections.js";
import type { GroupList, GroupView, NameList } from "./groups.js";
import type { LimitChange, LimitRequest, LimitRow } from "./limits.js";
import type { NodeList } from "./nodes.js";
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
  Scaled,
} from "./program.js";
import type { Stats, StatsHistory } from "./stats.js";
import type { TraceLine } from "./trace.js";
import type { StateView, TreeNode } from "./tree.js";

export type LogLevel = Config["logLevel"];

/** The way on which a change was asked for, as the log names it. */
export type AskedOver = "control socket" | "admin port";

export interface Control {
  /** @param connections maximum number of connections listed under each worker */
  tree(connections: number): Promise<TreeNode>;
  info(): Promise<ProgramInfo>;
  /** Fields of one process, in the order in which they are shown. `undefined`: no such process. */
  inspect(pid: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Sends an exit signal. `false`: no such process. */
  kill(pid: string, reason: string): Promise<boolean>;
  /** Begins the graceful stop. @param over how it was asked for, for the log */
  stop(over: AskedOver): void;
  /** @throws Refusal `unknown` when there is no such listener */
  connections(query: ConnectionQuery): Promise<ConnectionList>;
  /** Connections by client address. @throws Refusal `unknown` when there is no such listener */
  addresses(query: AddressQuery): Promise<AddressList>;
  /** `undefined`: no such process. @throws WorkerSilent */
  state(pid: string): Promise<StateView | undefined>;
  /**
   * Traces a process until it ends or `signal` is aborted. At most 200 lines a second; the rest is counted.
   * @returns `false`: no such process
   * @throws WorkerSilent
   */
  trace(pid: string, signal: AbortSignal, onLine: (line: TraceLine) => void): Promise<boolean>;
  stats(): Stats;
  /** Of the last 15 minutes, or since the start of the program. */
  history(): StatsHistory;
  /** Passes on log records of level info and above, of the primary and of all workers, until `signal` is aborted. */
  follow(signal: AbortSignal, onRecord: (record: LogRecord) => void): void;
  /** Records that are kept: warnings, reports, changes from outside, states of workers. */
  events(filter: EventFilter): readonly LogRecord[];
  /** Passes on these records, then every new one that passes the filter, until `signal` is aborted. */
  followEvents(filter: EventFilter, signal: AbortSignal, onRecord: (record: LogRecord) => void): void;
  /**
   * Stops accepting, on all listeners or on one. Applies to workers that start later, too.
   * @throws Refusal `unknown` when there is no such listener
   */
  suspend(listener?: string): Promise<readonly ListenerState[]>;
  /** Accepts again, also after a drain. @throws Refusal as `suspend`, and `conflict` when the program is stopping */
  resume(listener?: string): Promise<readonly ListenerState[]>;
  /**
   * Stops accepting, on all listeners or on one, and waits for its connections to end; those open at the deadline are
   * told to stop. During a drain, the earlier of the two deadlines counts.
   * @throws Refusal `unknown` when there is no such listener
   */
  drain(deadlineMs: number, listener?: string): Draining;
  draining(listener?: string): Draining;
  /**
   * Starts or drains workers until there are this many.
   * @throws RangeError outside of 1 to 1024
   * @throws Refusal `conflict` during another change, or when a worker does not start
   */
  scale(workers: number): Promise<Scaled>;
  /**
   * Restarts one worker; its connections may end by themselves until the deadline.
   * @throws Refusal `unknown` when there is no such worker; `conflict` during another change, or when it does not start
   */
  restart(worker: number, deadlineMs: number): Promise<Restarted>;
  /**
   * Reads certificates and keys of all listeners with TLS again. A pair that does not fit is tried again for 10 s. What
   * is refused changes nothing.
   */
  reloadCertificates(over: AskedOver): Promise<readonly CertificateReload[]>;
  /** Limits in force: all, or those of one listener. @throws Refusal `unknown` when there is no such listener */
  limits(listener?: string): readonly LimitRow[];
  /**
   * Changes a limit over all workers, until the program ends.
   * @param by which caller asks, as it is shown later
   * @throws Refusal `invalid` for a wrong name or value; `unknown` for a listener or network that is not there;
   *   `conflict` when it is not possible
   */
  limit(request: LimitRequest, by: string): Promise<LimitChange>;
  /**
   * Refuses new connections of an IP address, of IPv6 its /64, for so many milliseconds; the open ones go on.
   * @param address as `addressGroup` gives it
   */
  ban(address: string, ms: number): void;
  /** Lifts a ban. @throws Refusal `unknown` when it is not banned */
  unban(address: string): void;
  /** Addresses that are banned, also for exceeding a limit. */
  bans(): readonly AddressBan[];
  /** Sets the minimum log level of all OS processes, also of those that start later. */
  logLevel(level: LogLevel): void;
  /** Minimum log level. */
  loggedLevel(): LogLevel;
  /** Rows for `drover config`. */
  config(): readonly Explanation[];
  /** The text of `/metrics`. */
  metrics(): Promise<string>;
  /** As `metrics`, with numbers that the workers report now instead of up to a second ago. */
  freshMetrics(): Promise<string>;
  /**
   * Asks the process that holds a name.
   * @throws AskFailed; Refusal `invalid` when it cannot be sent, `conflict` where no protocol uses groups or names
   */
  ask(name: string, body: unknown, withinMs: number): Promise<unknown>;
  /**
   * Sends a message to a group.
   * @returns its number of members; `undefined` when the hub does not answer: the message waits for it
   * @throws as `ask`
   */
  publish(group: string, body: unknown): Promise<number | undefined>;
  /** @throws as `ask` */
  groups(limit: number): Promise<GroupList>;
  /** @throws as `ask` */
  group(name: string): Promise<GroupView>;
  /** Names that begin with `prefix`, sorted. @throws as `ask` */
  names(prefix: string, limit: number): Promise<NameList>;
  /** The servers of the cluster. @throws Refusal `conflict` where there is none */
  nodes(): NodeList;
  health(): Readiness;
  ready(): Readiness;
}
