/** Metrics of the kernel's accept queues: connections that wait for a worker. */
import { counter, gauge, type SeriesRow } from "./series-row.js";

export const ACCEPT_QUEUE_SERIES: readonly SeriesRow[] = [
  {
    ...gauge(
      "drover_accept_queue",
      "Connections in the kernel's accept queue, up to the backlog: TCP on Linux only.",
      ["listener"],
    ),
    samples: ({ acceptQueues }) => acceptQueues.waiting.map(({ listener, count }) => [[listener], count]),
  },
  {
    ...counter(
      "drover_accept_queue_overflows_total",
      "Connections that the kernel dropped because an accept queue was full: of all programs in this network namespace, since its start.",
      [],
    ),
    samples: ({ acceptQueues: { overflows } }) => (overflows === undefined ? [] : [[[], overflows]]),
  },
];
