/** Takes the snapshots of a worker: the counters and gauges that it sends to the primary every second. */
import type { Channel } from "node:diagnostics_channel";
import { type ErrorContext, type SupervisorReport, unhandledRejections } from "../../otp/events.js";
import { newestSerial } from "../../otp/process/pid.js";
import { processOf } from "../../otp/process/process.js";
import { whereis } from "../../otp/process/registry.js";
import type { Supervisor } from "../../otp/supervisor/supervisor.js";
import type { Endpoint } from "../../tcp/endpoint.js";
import type { Listener, ListenerState } from "../../tcp/listener.js";
import { droppedLines } from "../../telemetry/log/dropped-lines.js";
import { OsProcess } from "../../telemetry/metrics/os-process.js";
import { HANDLER_BUCKETS, type Snapshot } from "../../telemetry/metrics/snapshot.js";
import type { DescriptorUse } from "./free-descriptors.js";

/** States in which the listener accepts, or will again by itself. */
const ACCEPTING: readonly ListenerState[] = ["listening", "full", "ahead"];

type HandlerTotals = Pick<Snapshot["totals"], (typeof HANDLER_BUCKETS)[number] | "handlerSeconds">;

export class Sampler {
  readonly #endpoint: Endpoint;
  readonly #limit: () => number;
  readonly #channelMessagesDropped: () => number;
  readonly #reports: Record<ErrorContext, number> = {
    child_terminated: 0,
    start_error: 0,
    shutdown: 0,
    shutdown_error: 0,
  };
  /** Restarts of the children of `tcp_server`, by id. */
  readonly #restarts: Record<string, number> = { connections: 0, listener: 0 };
  readonly #osProcess = new OsProcess();
  #restartsLeft = 0;
  #unhandledRejections = 0;

  /**
   * @param limit connections that this worker may have at present
   * @param channelMessagesDropped messages to other workers that were dropped
   */
  constructor(
    endpoint: Endpoint,
    reports: Channel,
    limit: () => number,
    channelMessagesDropped: () => number,
  ) {
    this.#endpoint = endpoint;
    this.#limit = limit;
    this.#channelMessagesDropped = channelMessagesDropped;
    reports.subscribe((report) => this.#count(report as SupervisorReport));
    unhandledRejections.subscribe(() => this.#unhandledRejections++);
  }

  #count({ supervisor, errorContext, offender }: SupervisorReport): void {
    this.#reports[errorContext]++;
    const { id = "" } = offender;
    if (supervisor !== "tcp_server" || this.#restarts[id] === undefined) return;
    // All its children are permanent, so one that ended is restarted, unless the supervisor gives up (`shutdown`).
    if (errorContext === "child_terminated") this.#restarts[id]++;
    if (errorContext === "shutdown") this.#restarts[id]--;
  }

  /** @param lagMs longest lag of the event loop since the last snapshot */
  take(lagMs: number): Snapshot {
    const { counters } = this.#endpoint;
    const { cpuUserSeconds, cpuSystemSeconds, ...own } = this.#osProcess.take(counters.active);
    const pid = whereis("listener");
    const listener = pid && (processOf(pid) as Listener | undefined);
    // While the listener is being restarted, the last value stands.
    if (listener) this.#restartsLeft = (listener.parent as Supervisor).restartsLeft;
    const { accepted, framesReceived, framesSent, bytesReceived, bytesSent } = counters;
    const { readsPaused, crashes, messagesDropped } = counters;
    return {
      totals: {
        ...{ accepted, framesReceived, framesSent, bytesReceived, bytesSent },
        ...{ readsPaused, crashes, messagesDropped },
        unhandledRejections: this.#unhandledRejections,
        cpuUserSeconds,
        cpuSystemSeconds,
        supervisorChildTerminated: this.#reports.child_terminated,
        supervisorStartError: this.#reports.start_error,
        supervisorShutdown: this.#reports.shutdown,
        supervisorShutdownError: this.#reports.shutdown_error,
        listenerRestarts: this.#restarts.listener as number,
        connectionsRestarts: this.#restarts.connections as number,
        logLinesDropped: droppedLines(),
        channelMessagesDropped: this.#channelMessagesDropped(),
        ...this.#handlers(),
      },
      gauges: {
        active: counters.active,
        outbound: counters.outbound,
        listenerRunning: listener && ACCEPTING.includes(listener.state) ? 1 : 0,
        maxConnections: this.#limit(),
        eventLoopLagSeconds: lagMs / 1000,
        restartsLeft: this.#restartsLeft,
        newestSerial: newestSerial(),
        ...own,
      },
      closed: counters.closed,
      refused: counters.refused,
    };
  }

  descriptors(): DescriptorUse {
    const { active } = this.#endpoint.counters;
    return { active, ...this.#osProcess.descriptors(active) };
  }

  #handlers(): HandlerTotals {
    const { latency } = this.#endpoint;
    const counts = HANDLER_BUCKETS.map((name, at) => [name, latency?.counts[at] ?? 0]);
    return { ...Object.fromEntries(counts), handlerSeconds: latency?.seconds ?? 0 } as HandlerTotals;
  }
}
