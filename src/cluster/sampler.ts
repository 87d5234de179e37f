/** What a worker knows of itself, as the numbers that the primary is told. */
import type { Channel } from "node:diagnostics_channel";
import { readdirSync, readFileSync } from "node:fs";
import { clock } from "../otp/clock.js";
import type { ErrorContext, SupervisorReport } from "../otp/events.js";
import { processOf } from "../otp/process.js";
import { whereis } from "../otp/registry.js";
import type { Listener } from "../tcp/listener.js";
import type { Service } from "../tcp/service.js";
import type { Snapshot } from "../telemetry/snapshot.js";

export class Sampler {
  readonly #service: Service;
  readonly #reports: Record<ErrorContext, number> = {
    child_terminated: 0,
    start_error: 0,
    shutdown: 0,
    shutdown_error: 0,
  };
  /** Descriptors that are open before any connection is: counting them all again costs more with every client. */
  readonly #baseFds = openDescriptors();
  readonly #maxFds = maxDescriptors();
  readonly #startTime = performance.timeOrigin / 1000;
  #lastAt = clock.now();

  constructor(service: Service, reports: Channel) {
    this.#service = service;
    reports.subscribe((report) => {
      this.#reports[(report as SupervisorReport).errorContext]++;
    });
  }

  /** @param due milliseconds after the last one at which this should have been taken; what is more is loop lag */
  take(due: number): Snapshot {
    const { counters } = this.#service;
    const now = clock.now();
    const lag = due > 0 ? Math.max(0, now - this.#lastAt - due) / 1000 : 0;
    this.#lastAt = now;
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    const pid = whereis("listener");
    const listener = pid && (processOf(pid) as Listener | undefined);
    const { accepted, framesReceived, framesSent, bytesReceived, bytesSent, readsPaused, crashes } = counters;
    return {
      totals: {
        ...{ accepted, framesReceived, framesSent, bytesReceived, bytesSent, readsPaused, crashes },
        cpuUserSeconds: user / 1e6,
        cpuSystemSeconds: system / 1e6,
        supervisorChildTerminated: this.#reports.child_terminated,
        supervisorStartError: this.#reports.start_error,
        supervisorShutdown: this.#reports.shutdown,
        supervisorShutdownError: this.#reports.shutdown_error,
      },
      gauges: {
        active: counters.active,
        outbound: counters.outbound,
        listenerRunning: listener?.state === "listening" || listener?.state === "full" ? 1 : 0,
        maxConnections: listener?.maxConnections ?? 0,
        eventLoopLagSeconds: lag,
        openFds: this.#baseFds + counters.active,
        maxFds: this.#maxFds,
        residentBytes: rss,
        heapUsedBytes: heapUsed,
        heapTotalBytes: heapTotal,
        externalBytes: external,
        startTimeSeconds: this.#startTime,
      },
      closed: counters.closed,
      refused: counters.refused,
    };
  }
}

function openDescriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

/** The hard limit of descriptors of this OS process: node raises the soft one to it. 0 where it is not known. */
export function maxDescriptors(): number {
  try {
    const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return limit === "unlimited" ? Infinity : Number(limit ?? 0);
  } catch {
    return 0;
  }
}
