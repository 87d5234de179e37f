/** Metrics of OS processes: CPU, memory, file descriptors and the event loop. */
import { ofProcess, ofWorker, type SeriesRow, totalOfProcess } from "./series-row.js";

export const OS_PROCESS_SERIES: readonly SeriesRow[] = [
  ofWorker("drover_open_fds", "Open file descriptors.", "openFds"),
  ofWorker("drover_max_fds", "File descriptor limit.", "maxFds"),
  totalOfProcess(
    "process_cpu_user_seconds_total",
    "User CPU time in seconds; worker 0 is the primary.",
    "cpuUserSeconds",
  ),
  totalOfProcess(
    "process_cpu_system_seconds_total",
    "System CPU time in seconds; worker 0 is the primary.",
    "cpuSystemSeconds",
  ),
  totalOfProcess(
    "process_cpu_seconds_total",
    "User and system CPU time in seconds; worker 0 is the primary.",
    "cpuUserSeconds",
    "cpuSystemSeconds",
  ),
  ofProcess("process_resident_memory_bytes", "Resident memory size in bytes.", "residentBytes"),
  ofProcess(
    "process_start_time_seconds",
    "Start time of the OS process in seconds since the Unix epoch.",
    "startTimeSeconds",
  ),
  ofProcess("process_open_fds", "Open file descriptors.", "openFds"),
  ofProcess("process_max_fds", "File descriptor limit.", "maxFds"),
  ofProcess(
    "nodejs_eventloop_lag_seconds",
    "Maximum event-loop lag since the last report (workers) or scrape (primary).",
    "eventLoopLagSeconds",
  ),
  ofProcess("nodejs_heap_size_used_bytes", "Used JavaScript heap in bytes.", "heapUsedBytes"),
  ofProcess("nodejs_heap_size_total_bytes", "Total JavaScript heap in bytes.", "heapTotalBytes"),
  ofProcess(
    "nodejs_external_memory_bytes",
    "Memory of Buffers and other objects outside the JavaScript heap, in bytes.",
    "externalBytes",
  ),
];
