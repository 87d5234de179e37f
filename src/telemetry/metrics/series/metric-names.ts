/** All exported metrics: name, HELP text, labels and values. Dashboards and alerts depend on names and labels. */
import { CLOSE_REASONS, REFUSE_REASONS } from "../../../tcp/observe/events.js";
import type { WorkerTotal } from "../worker-totals.js";
import { ACCEPT_QUEUE_SERIES } from "./accept-queue-series.js";
import { ADMIN_SERIES } from "./admin-series.js";
import { OS_PROCESS_SERIES } from "./os-process-series.js";
import {
  counter,
  gauge,
  liveGauges,
  ofListener,
  ofListeners,
  ofWorker,
  presentWorkers,
  reasonsOf,
  type Sample,
  type SeriesRow,
  totalOf,
  totalOfProcess,
} from "./series-row.js";
import { TLS_SERIES } from "./tls-series.js";

const CONTEXTS: readonly (readonly [context: string, total: WorkerTotal])[] = [
  ["child_terminated", "supervisorChildTerminated"],
  ["start_error", "supervisorStartError"],
  ["shutdown", "supervisorShutdown"],
  ["shutdown_error", "supervisorShutdownError"],
];

/** To which own reasons of protocols are added. */
export const CLOSED_SERIES = "drover_connections_closed_total";

export const SERIES: readonly SeriesRow[] = [
  {
    ...gauge("drover_build_info", "Build information in the labels; the value is always 1.", [
      "version",
      "node",
      "transport",
      "protocol",
    ]),
    samples: ({ build }) => [[build, 1]],
  },
  {
    ...gauge("drover_listener_info", "A listener, in the labels; the value is always 1.", [
      "listener",
      "protocol",
      "address",
      "tls",
      "proxy",
    ]),
    samples: ({ listeners }) =>
      listeners.map(({ name, protocol, address, tls = false, proxy = false }) => [
        [name, protocol, address, String(tls), String(proxy)],
        1,
      ]),
  },
  {
    ...gauge("drover_workers", "Number of workers, by state.", ["state"]),
    samples: ({ workers }) =>
      ["starting", "running", "stopping", "down"].map((state) => [
        [state],
        [...workers.values()].filter((totals) => totals.state === state).length,
      ]),
  },
  {
    ...gauge("drover_worker_up", "1 if the worker is running and has reported within 3 seconds, else 0.", [
      "worker",
    ]),
    samples: ({ workers }) =>
      presentWorkers(workers).map(([worker, totals]) => [[worker], Number(totals.up)]),
  },
  {
    ...gauge("drover_worker_snapshot_age_seconds", "Seconds since the worker's last report.", ["worker"]),
    samples: ({ workers }) =>
      presentWorkers(workers).flatMap(([worker, totals]) =>
        totals.state === "down" ? [] : [[[worker], totals.snapshotAgeSeconds]],
      ),
  },
  {
    ...counter(
      "drover_supervisor_restarts_total",
      "Child restarts, by supervisor and child; without label worker: a supervisor of the primary.",
      ["supervisor", "child", "worker"],
    ),
    samples: (state) => [
      ...state.restarts.map(({ supervisor, child, count }): Sample => [[supervisor, child], count]),
      ...ofListeners(state).flatMap(([worker, { name }, totals]): Sample[] => {
        const several = state.listeners.length > 1;
        const server = several ? name : "tcp_server";
        return [
          [[server, "connections", worker], totals.total("connectionsRestarts")],
          [[server, "listener", worker], totals.total("listenerRestarts")],
          ...(several ? [[["listeners", name, worker], totals.total("serverRestarts")] as const] : []),
        ];
      }),
    ],
  },
  {
    ...counter("drover_worker_start_failures_total", "Failed attempts to start a worker.", ["worker"]),
    samples: ({ startFailures }) => [...startFailures].map(([worker, count]): Sample => [[worker], count]),
  },
  {
    ...counter(
      "drover_worker_recycles_total",
      "Workers that were drained and replaced because their memory stayed above --max-memory.",
      ["worker"],
    ),
    samples: ({ workers, recycles }) =>
      [...workers].map(([worker]): Sample => [[worker], recycles.get(worker) ?? 0]),
  },
  {
    ...counter(
      "drover_supervisor_reports_total",
      "Supervisor reports, by error context; worker 0 is the primary.",
      ["worker", "context"],
    ),
    samples: ({ workers, reports }) =>
      CONTEXTS.flatMap(([context, total]): Sample[] => [
        [[0, context], reports.get(context) ?? 0],
        ...[...workers].map(([worker, totals]): Sample => [[worker, context], totals.total(total)]),
      ]),
  },
  {
    ...gauge(
      "drover_restarts_left",
      "Restarts left before the supervisor gives up; without label worker: a supervisor of the primary.",
      ["supervisor", "worker"],
    ),
    samples: ({ restartsLeft, workers, listeners }) => [
      ...[...restartsLeft].map(([supervisor, left]): Sample => [[supervisor], left]),
      ...liveGauges(workers, "restartsLeft").map(
        ([labels, left]): Sample => [[listeners.length > 1 ? "listeners" : "tcp_server", ...labels], left],
      ),
      ...ofListeners({ workers, listeners: listeners.length > 1 ? listeners : [] }).flatMap(
        ([worker, { name }, totals]): Sample[] => {
          const left = totals.gauge("restartsLeft");
          return left === undefined ? [] : [[[name, worker], left]];
        },
      ),
    ],
  },
  ofListener("drover_listener_running", "1 if the listener accepts connections, else 0.", "listenerRunning"),
  ofListener("drover_connections_active", "Open connections.", "active"),
  ofListener(
    "drover_max_connections",
    "Connection limit; further connections wait in the backlog.",
    "maxConnections",
  ),
  ofWorker(
    "drover_worker_max_connections",
    "Connection limit of the worker, over all its listeners.",
    "maxConnections",
  ),
  totalOf(
    "drover_listener_rate_limited_seconds_total",
    "Time in which the listener waited for its accept rate.",
    "rateLimitedSeconds",
  ),
  totalOf("drover_connections_accepted_total", "Accepted connections: always active + closed.", "accepted"),
  reasonsOf(CLOSED_SERIES, "Closed connections, by reason.", CLOSE_REASONS, (totals, reason) =>
    totals.closed(reason),
  ),
  reasonsOf(
    "drover_connections_refused_total",
    "Refused connections, by reason.",
    REFUSE_REASONS,
    (totals, reason) => totals.refused(reason),
  ),
  totalOf("drover_frames_received_total", "Received frames.", "framesReceived"),
  totalOf("drover_frames_sent_total", "Sent frames.", "framesSent"),
  totalOf("drover_bytes_received_total", "Received bytes.", "bytesReceived"),
  totalOf("drover_bytes_sent_total", "Sent bytes.", "bytesSent"),
  totalOf(
    "drover_reads_paused_total",
    "Times that reading from a connection was paused by flow control.",
    "readsPaused",
  ),
  ofListener("drover_outbound_bytes", "Bytes waiting to be sent.", "outbound"),
  {
    ...counter("drover_crashes_total", "Connections that ended with a crash of the protocol.", [
      "worker",
      "protocol",
    ]),
    samples: (state) => {
      const crashes = new Map<string, Sample>();
      for (const [worker, { protocol }, totals] of ofListeners(state)) {
        const key = `${worker} ${protocol}`;
        const [, before] = crashes.get(key) ?? [[], 0];
        crashes.set(key, [[worker, protocol], before + totals.total("crashes")]);
      }
      return [...crashes.values()];
    },
  },
  totalOf(
    "drover_messages_dropped_total",
    "Messages to connections that were dropped because the mailbox was full (maxMessages).",
    "messagesDropped",
  ),
  {
    ...counter(
      "drover_descriptors_exhausted_total",
      "Times that a worker had no file descriptor left while it accepted: clients that came then were closed, and are in no other total. Worker 0 is the primary, with the clients of the admin port.",
      ["worker"],
    ),
    samples: ({ workers, descriptorsExhausted }) => [
      [[0], descriptorsExhausted],
      ...[...workers].map(([worker, totals]): Sample => [[worker], totals.total("descriptorsExhausted")]),
    ],
  },
  {
    ...counter("drover_unhandled_rejections_total", "Unhandled promise rejections; the worker continues.", [
      "worker",
    ]),
    samples: ({ workers }) =>
      [...workers].map(([worker, totals]) => [[worker], totals.total("unhandledRejections")]),
  },
  {
    ...gauge("drover_outgoing_active", "Open outgoing connections (connect), by protocol.", [
      "worker",
      "protocol",
    ]),
    samples: ({ workers }) =>
      presentWorkers(workers).flatMap(([worker, { outgoing }]) =>
        outgoing.active().map(([protocol, active]): Sample => [[worker, protocol], active]),
      ),
  },
  {
    ...counter(
      "drover_outgoing_connects_total",
      "Attempts to open an outgoing connection, by protocol and result.",
      ["worker", "protocol", "result"],
    ),
    samples: ({ workers }) =>
      [...workers].flatMap(([worker, { outgoing }]) =>
        outgoing.connects().map(([protocol, result, count]): Sample => [[worker, protocol, result], count]),
      ),
  },
  {
    ...gauge(
      "drover_overloaded",
      "0: the worker accepts; 1: it does not, because its event loop lags (--max-lag) or its memory is nearly used up (--max-memory); 2: it closes connections.",
      ["worker", "cause"],
    ),
    samples: ({ workers }) =>
      [...workers].flatMap(([worker, totals]): Sample[] =>
        (["lag", "memory"] as const).flatMap((cause) => {
          const level = totals.gauge(cause === "lag" ? "overloadLag" : "overloadMemory");
          return level === undefined ? [] : [[[worker, cause], level]];
        }),
      ),
  },
  {
    ...counter(
      "drover_accept_paused_seconds_total",
      "Seconds in which the worker was overloaded and did not accept.",
      ["worker"],
    ),
    samples: ({ workers }) =>
      [...workers].map(([worker, totals]) => [[worker], totals.total("acceptPausedSeconds")]),
  },
  ofWorker(
    "drover_event_loop_lag_seconds",
    "Maximum event-loop lag within the last second.",
    "eventLoopLagSeconds",
  ),
  totalOfProcess(
    "drover_log_lines_dropped_total",
    "Dropped log lines; worker 0 is the primary.",
    "logLinesDropped",
  ),
  {
    ...counter(
      "drover_channel_messages_dropped_total",
      "Dropped messages between workers, by direction: the worker (to) or the primary (from) read too slowly.",
      ["worker", "direction"],
    ),
    samples: ({ workers }) =>
      [...workers].flatMap(([worker, totals]): Sample[] => [
        [[worker, "to"], totals.channelMessagesDropped],
        [[worker, "from"], totals.total("channelMessagesDropped")],
      ]),
  },
  ...TLS_SERIES,
  ...ACCEPT_QUEUE_SERIES,
  ...ADMIN_SERIES,
  ...OS_PROCESS_SERIES,
];
