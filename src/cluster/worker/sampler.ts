/** Takes the snapshots of a worker: the counters and gauges that it sends to the primary every second. */
import type { Channel } from "node:diagnostics_channel";
import { localMembers, localNames, uplink } from "../../groups/local/present.js";
import { type ErrorContext, type SupervisorReport, unhandledRejections } from "../../otp/events.js";
import { newestSerial, type Pid } from "../../otp/process/pid.js";
import { processOf } from "../../otp/process/process.js";
import { Supervisor } from "../../otp/supervisor/supervisor.js";
import type { ListenerState } from "../../tcp/listener/state.js";
import type { OwnNumbers } from "../../tcp/metrics/own-numbers.js";
import {
  ASK_RESULTS,
  GROUP_DROP_REASONS,
  HANDSHAKE_RESULTS,
  type HandshakeResult,
} from "../../tcp/observe/events.js";
import { groupCounters } from "../../tcp/observe/group-counters.js";
import { droppedLines } from "../../telemetry/log/dropped-lines.js";
import { OsProcess } from "../../telemetry/metrics/os-process.js";
import { HANDLER_BUCKETS, type ListenerSnapshot, type Snapshot } from "../../telemetry/metrics/snapshot.js";
import type { DescriptorUse } from "./listeners/free-descriptors.js";
import type { WorkerLimits } from "./listeners/limits.js";
import type { WorkerListener } from "./listeners/worker-listener.js";
import type { Overload } from "./overload/overload.js";

/** States in which the listener accepts, or will again by itself. */
const ACCEPTING: readonly ListenerState[] = ["listening", "full", "ahead", "rate_limited"];

type HandshakeTotals = Pick<ListenerSnapshot["totals"], `handshakes_${HandshakeResult}`>;

function handshakes({ endpoint }: WorkerListener): HandshakeTotals {
  const { handshakes } = endpoint.counters;
  return Object.fromEntries(
    HANDSHAKE_RESULTS.map((result) => [`handshakes_${result}`, handshakes[result]]),
  ) as HandshakeTotals;
}

type HandlerTotals = Pick<ListenerSnapshot["totals"], (typeof HANDLER_BUCKETS)[number] | "handlerSeconds">;

export interface SamplerOptions {
  readonly listeners: readonly WorkerListener[];
  /** Reports of all supervisors of this OS process. */
  readonly reports: Channel;
  /** Restart intensity: what is left before the first restart. */
  readonly intensity: number;
  /** The top supervisor, once it has started. */
  root(): Pid | undefined;
  limits(): Pick<WorkerLimits, "applied" | "maxConnections" | "descriptorsExhausted">;
  readonly overload: Pick<Overload, "pausedSeconds" | "lagLevel" | "memoryLevel" | "memorySeconds">;
  /** Messages to other workers that were dropped. */
  channelMessagesDropped(): number;
  /** Metrics and close reasons of the protocols. */
  readonly own: OwnNumbers;
}

export class Sampler {
  readonly #options: SamplerOptions;
  readonly #reports: Record<ErrorContext, number> = {
    child_terminated: 0,
    start_error: 0,
    shutdown: 0,
    shutdown_error: 0,
  };
  /** Restarts of children of listeners' supervisors, by supervisor and child: `tcp_server listener`. */
  readonly #restarts: Map<string, number>;
  readonly #osProcess = new OsProcess();
  /** By supervisor. */
  readonly #restartsLeft = new Map<string, number>();
  #unhandledRejections = 0;

  constructor(options: SamplerOptions) {
    this.#options = options;
    this.#restarts = new Map(
      options.listeners.flatMap((one) => this.#childrenOf(one)).map((key) => [key, 0]),
    );
    options.reports.subscribe((report) => this.#count(report as SupervisorReport));
    unhandledRejections.subscribe(() => this.#unhandledRejections++);
  }

  #count({ supervisor, errorContext, offender }: SupervisorReport): void {
    this.#reports[errorContext]++;
    const key = `${supervisor} ${offender.id}`;
    const restarts = this.#restarts.get(key);
    if (restarts === undefined) return;
    // These children are all permanent, so one that ended is restarted, unless the supervisor gives up (`shutdown`).
    if (errorContext === "child_terminated") this.#restarts.set(key, restarts + 1);
    if (errorContext === "shutdown") this.#restarts.set(key, restarts - 1);
  }

  /** @param lagMs longest lag of the event loop since the last snapshot */
  take(lagMs: number): Snapshot {
    const { listeners, root, limits, channelMessagesDropped, overload } = this.#options;
    const { cpuUserSeconds, cpuSystemSeconds, ...own } = this.#osProcess.take(this.#active);
    const top = root();
    return {
      totals: {
        channelMessagesDropped: channelMessagesDropped(),
        unhandledRejections: this.#unhandledRejections,
        descriptorsExhausted: limits().descriptorsExhausted,
        cpuUserSeconds,
        cpuSystemSeconds,
        supervisorChildTerminated: this.#reports.child_terminated,
        supervisorStartError: this.#reports.start_error,
        supervisorShutdown: this.#reports.shutdown,
        supervisorShutdownError: this.#reports.shutdown_error,
        logLinesDropped: droppedLines(),
        acceptPausedSeconds: overload.pausedSeconds,
        ...groupTotals(),
      },
      gauges: {
        limitsApplied: limits().applied,
        maxConnections: limits().maxConnections,
        eventLoopLagSeconds: lagMs / 1000,
        restartsLeft: this.#restartsLeftOf("", top && processOf(top)),
        newestSerial: newestSerial(),
        overloadLag: overload.lagLevel,
        overloadMemory: overload.memoryLevel,
        overloadMemorySeconds: overload.memorySeconds,
        groups: localMembers.size,
        groupMemberships: localMembers.memberships,
        names: localNames.size,
        exchangeLinkBytes: uplink.linkBytes,
        ...own,
      },
      listeners: listeners.map((listener) => this.#listener(listener)),
      own: this.#options.own.take(),
    };
  }

  #listener(listener: WorkerListener): ListenerSnapshot {
    const { endpoint, name, maxConnections, process } = listener;
    const { accepted, framesReceived, framesSent, bytesReceived, bytesSent, ...others } = endpoint.counters;
    const { readsPaused, crashes, messagesDropped, rateLimitedMs, active, outbound, closed, refused } =
      others;
    const restarts = this.#childrenOf(listener).map((key) => this.#restarts.get(key) ?? 0);
    const [connectionsRestarts = 0, listenerRestarts = 0, serverRestarts = 0] = restarts;
    return {
      totals: {
        ...{ accepted, framesReceived, framesSent, bytesReceived, bytesSent },
        ...{ readsPaused, crashes, messagesDropped },
        rateLimitedSeconds: (rateLimitedMs + (process?.rateLimitedMs ?? 0)) / 1_000,
        ...{ connectionsRestarts, listenerRestarts, serverRestarts },
        ...handshakes(listener),
        ...handlers(listener),
      },
      gauges: {
        ...{ active, taken: endpoint.taken, outbound, maxConnections },
        // A client that waits at the gate was accepted before the listener was suspended, and may yet be a connection.
        listenerRunning: (process && ACCEPTING.includes(process.state)) || endpoint.taken > active ? 1 : 0,
        restartsLeft: this.#restartsLeftOf(name, process?.parent),
      },
      ...{ closed, refused },
    };
  }

  /** Its supervised processes: connections, listener, and where it is one of several the `tcp_server` over both. */
  #childrenOf({ name }: WorkerListener): string[] {
    const several = this.#options.listeners.length > 1;
    const server = several ? name : "tcp_server";
    return [`${server} connections`, `${server} listener`, ...(several ? [`listeners ${name}`] : [])];
  }

  /** While the supervisor, or the child by which it is found, is being restarted, the last value stands. */
  #restartsLeftOf(key: string, supervisor: unknown): number {
    if (supervisor instanceof Supervisor) this.#restartsLeft.set(key, supervisor.restartsLeft);
    return this.#restartsLeft.get(key) ?? this.#options.intensity;
  }

  /** The descriptors in use when the snapshot was taken. */
  useIn({ gauges: { openFds, maxFds }, listeners }: Snapshot): DescriptorUse {
    return { active: listeners.reduce((sum, { gauges }) => sum + gauges.active, 0), openFds, maxFds };
  }

  /** The descriptors in use now. */
  descriptors(): DescriptorUse {
    const active = this.#active;
    return { active, ...this.#osProcess.descriptors(active) };
  }

  /** Connections of all listeners. */
  get #active(): number {
    return this.#options.listeners.reduce((sum, { endpoint }) => sum + endpoint.counters.active, 0);
  }
}

function handlers({ endpoint: { latency } }: WorkerListener): HandlerTotals {
  const counts = HANDLER_BUCKETS.map((name, at) => [name, latency?.counts[at] ?? 0]);
  return { ...Object.fromEntries(counts), handlerSeconds: latency?.seconds ?? 0 } as HandlerTotals;
}

function groupTotals(): GroupTotals {
  const { published, forwarded, delivered, dropped, asks, namesClaimed, namesReplaced } = groupCounters;
  const results = ASK_RESULTS.map((result) => [`asks_${result}`, asks[result]]);
  const buckets = HANDLER_BUCKETS.flatMap((name, at) => [
    [`delivery_${name}`, groupCounters.delivery.counts[at]],
    [`answer_${name}`, groupCounters.answer.counts[at]],
  ]);
  const drops = GROUP_DROP_REASONS.map((reason) => [`groupDropped_${reason}`, dropped[reason]]);
  return {
    ...{ groupPublished: published, groupForwarded: forwarded, groupDelivered: delivered },
    ...{ groupMalformed: groupCounters.malformed, namesClaimed, namesReplaced },
    ...{ namesContested: groupCounters.namesContested },
    ...{ deliverySeconds: groupCounters.delivery.seconds, answerSeconds: groupCounters.answer.seconds },
    ...Object.fromEntries([...drops, ...results, ...buckets]),
  } as GroupTotals;
}

type GroupTotals = Pick<
  Snapshot["totals"],
  Extract<keyof Snapshot["totals"], `${"group" | "names" | "asks" | "delivery" | "answer"}${string}`>
>;
