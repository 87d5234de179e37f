/** Every series there is: one row each. Other people's dashboards hold on to these names. */
import { CLOSE_REASONS, HANDLER_BOUNDS, REFUSE_REASONS } from "../../tcp/observe/events.js";
import {
  counter,
  gauge,
  livingGauges,
  ofListener,
  ofProcess,
  ofWorker,
  places,
  type Row,
  type Sample,
  totalOf,
  totalOfProcess,
} from "./series-row.js";
import { HANDLER_BUCKETS } from "./snapshot.js";
import type { Slot, Total } from "./worker-totals.js";

const CONTEXTS: readonly (readonly [context: string, total: Total])[] = [
  ["child_terminated", "supervisorChildTerminated"],
  ["start_error", "supervisorStartError"],
  ["shutdown", "supervisorShutdown"],
  ["shutdown_error", "supervisorShutdownError"],
];

export const ROWS: readonly Row[] = [
  {
    ...gauge("drover_build_info", "Always 1; the labels say what is running.", [
      "version",
      "node",
      "transport",
      "protocol",
    ]),
    samples: ({ build }) => [[build, 1]],
  },
  {
    ...gauge("drover_workers", "Workers in each state.", ["state"]),
    samples: ({ slots }) =>
      ["starting", "running", "stopping", "down"].map((state) => [
        [state],
        [...slots.values()].filter((slot) => slot.state === state).length,
      ]),
  },
  {
    ...gauge("drover_worker_up", "1 while the worker runs and has been heard of within 3 seconds.", [
      "worker",
    ]),
    samples: ({ slots }) => places(slots).map(([worker, slot]) => [[worker], Number(slot.up)]),
  },
  {
    ...gauge("drover_worker_snapshot_age_seconds", "Time since the worker was last heard of.", ["worker"]),
    samples: ({ slots }) =>
      places(slots).flatMap(([worker, slot]) =>
        slot.state === "down" ? [] : [[[worker], slot.silentSeconds]],
      ),
  },
  {
    ...counter(
      "drover_supervisor_restarts_total",
      "Children started again by a supervisor; the label worker is that of a worker's own.",
      ["supervisor", "child", "worker"],
    ),
    samples: ({ restarts, slots }) => [
      ...restarts.map(({ supervisor, child, count }): Sample => [[supervisor, child], count]),
      ...[...slots].flatMap(([worker, slot]): Sample[] => [
        [["tcp_server", "connections", worker], slot.total("connectionsRestarts")],
        [["tcp_server", "listener", worker], slot.total("listenerRestarts")],
      ]),
    ],
  },
  {
    ...counter("drover_supervisor_reports_total", "Supervisor reports; worker 0 is the primary.", [
      "worker",
      "context",
    ]),
    samples: ({ slots, reports }) =>
      CONTEXTS.flatMap(([context, total]): Sample[] => [
        [[0, context], reports.get(context) ?? 0],
        ...[...slots].map(([worker, slot]): Sample => [[worker, context], slot.total(total)]),
      ]),
  },
  {
    ...gauge(
      "drover_restarts_left",
      "Restarts that the supervisor allows before it gives up; the label worker is that of a worker's own.",
      ["supervisor", "worker"],
    ),
    samples: ({ restartsLeft, slots }) => [
      ...[...restartsLeft].map(([supervisor, left]): Sample => [[supervisor], left]),
      ...livingGauges(slots, "restartsLeft").map(
        ([labels, left]): Sample => [["tcp_server", ...labels], left],
      ),
    ],
  },
  ofListener("drover_listener_running", "1 while the worker accepts connections.", "listenerRunning"),
  ofListener("drover_connections_active", "Connections that are open.", "active"),
  ofListener("drover_max_connections", "Connections that may be open; more wait.", "maxConnections"),
  totalOf(
    "drover_connections_accepted_total",
    "Connections accepted; always those active and those closed.",
    "accepted",
  ),
  {
    ...counter("drover_connections_closed_total", "Connections that have ended, by reason.", [
      "worker",
      "listener",
      "reason",
    ]),
    samples: ({ slots, listener }) =>
      [...slots].flatMap(([worker, slot]) =>
        CLOSE_REASONS.map((reason): Sample => [[worker, listener, reason], slot.closed(reason)]),
      ),
  },
  {
    ...counter("drover_connections_refused_total", "Connections that were not served, by reason.", [
      "worker",
      "listener",
      "reason",
    ]),
    samples: ({ slots, listener }) =>
      [...slots].flatMap(([worker, slot]) =>
        REFUSE_REASONS.map((reason): Sample => [[worker, listener, reason], slot.refused(reason)]),
      ),
  },
  totalOf("drover_frames_received_total", "Frames received.", "framesReceived"),
  totalOf("drover_frames_sent_total", "Frames sent.", "framesSent"),
  totalOf("drover_bytes_received_total", "Bytes received.", "bytesReceived"),
  totalOf("drover_bytes_sent_total", "Bytes sent.", "bytesSent"),
  totalOf(
    "drover_reads_paused_total",
    "Times that a client was read no further until it had taken what was sent, or a handler was done.",
    "readsPaused",
  ),
  ofListener("drover_outbound_bytes", "Bytes queued for sending.", "outbound"),
  {
    ...counter("drover_crashes_total", "Connections that ended by a fault of the protocol.", [
      "worker",
      "protocol",
    ]),
    samples: ({ slots, protocol }) =>
      [...slots].map(([worker, slot]) => [[worker, protocol], slot.total("crashes")]),
  },
  ofWorker(
    "drover_event_loop_lag_seconds",
    "The latest that the worker's event loop was within a second.",
    "eventLoopLagSeconds",
  ),
  totalOfProcess(
    "drover_log_lines_dropped_total",
    "Log lines that could not be written; worker 0 is the primary.",
    "logLinesDropped",
  ),
  ofWorker("drover_open_fds", "Open file descriptors.", "openFds"),
  ofWorker("drover_max_fds", "File descriptors that may be open.", "maxFds"),
  totalOfProcess(
    "process_cpu_user_seconds_total",
    "User CPU time; worker 0 is the primary.",
    "cpuUserSeconds",
  ),
  totalOfProcess(
    "process_cpu_system_seconds_total",
    "System CPU time; worker 0 is the primary.",
    "cpuSystemSeconds",
  ),
  totalOfProcess(
    "process_cpu_seconds_total",
    "CPU time; worker 0 is the primary.",
    "cpuUserSeconds",
    "cpuSystemSeconds",
  ),
  ofProcess("process_resident_memory_bytes", "Resident memory.", "residentBytes"),
  ofProcess("process_start_time_seconds", "Start of the OS process since the epoch.", "startTimeSeconds"),
  ofProcess("process_open_fds", "Open file descriptors.", "openFds"),
  ofProcess("process_max_fds", "File descriptors that may be open.", "maxFds"),
  ofProcess("nodejs_eventloop_lag_seconds", "The latest that the event loop was.", "eventLoopLagSeconds"),
  ofProcess("nodejs_heap_size_used_bytes", "JavaScript heap in use.", "heapUsedBytes"),
  ofProcess("nodejs_heap_size_total_bytes", "JavaScript heap.", "heapTotalBytes"),
  ofProcess(
    "nodejs_external_memory_bytes",
    "Memory outside of the JavaScript heap that belongs to it.",
    "externalBytes",
  ),
];

/** Only where it is measured. */
export const HANDLERS: Row = {
  name: "drover_handler_seconds",
  help: "How long handlers of the protocol took until they were through.",
  kind: "histogram",
  labels: ["worker", "le"],
  samples: ({ slots }) => [...slots].flatMap(([worker, slot]) => handlerSamples(worker, slot)),
};

/** As a histogram has it: each bucket counts those of all smaller ones as well. */
function handlerSamples(worker: number, slot: Slot): Sample[] {
  let count = 0;
  const buckets = HANDLER_BUCKETS.map((name, at): Sample => {
    count += slot.total(name);
    return [[worker, HANDLER_BOUNDS[at] ?? "+Inf"], count, "_bucket"];
  });
  return [...buckets, [[worker], slot.total("handlerSeconds"), "_sum"], [[worker], count, "_count"]];
}
