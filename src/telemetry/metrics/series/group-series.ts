/** Metrics of groups and of the exchange; exported only where a protocol takes messages of groups. */
import { ASK_RESULTS, GROUP_DROP_REASONS, HANDLER_BOUNDS } from "../../../tcp/observe/events.js";
import { ANSWER_BUCKETS, DELIVERY_BUCKETS } from "../snapshot.js";
import type { WorkerTotal } from "../worker-totals.js";
import {
  counter,
  type ExchangeSample,
  gauge,
  liveGauges,
  NODE_DROP_REASONS,
  NODE_STATES,
  type NodesSample,
  ofWorker,
  type Sample,
  type SeriesRow,
} from "./series-row.js";

function histogram(
  name: string,
  help: string,
  bucketNames: readonly WorkerTotal[],
  sum: WorkerTotal,
): SeriesRow {
  return {
    ...{ name, help, kind: "histogram", labels: ["worker", "le"] },
    samples: ({ workers }) =>
      [...workers].flatMap(([worker, totals]) => {
        let count = 0;
        const buckets = bucketNames.map((bucket, at): Sample => {
          count += totals.total(bucket);
          return [[worker, HANDLER_BOUNDS[at] ?? "+Inf"], count, "_bucket"];
        });
        return [...buckets, [[worker], totals.total(sum), "_sum"], [[worker], count, "_count"]];
      }),
  };
}

const ofExchange = (
  exchange: ExchangeSample | undefined,
  samples: (exchange: ExchangeSample) => Sample[],
): Sample[] => (exchange ? samples(exchange) : []);

const ofNodes = (
  exchange: ExchangeSample | undefined,
  samples: (nodes: NodesSample) => Sample[],
): Sample[] => (exchange?.nodes ? samples(exchange.nodes) : []);

export const GROUP_SERIES: readonly SeriesRow[] = [
  {
    ...gauge("drover_exchange_up", "1 if the exchange answers, else 0; no series where none is needed.", []),
    samples: ({ exchange }) => (exchange ? [[[], Number(exchange.up)]] : []),
  },
  {
    ...gauge("drover_exchange_links", "Workers that are connected to the exchange.", []),
    samples: ({ exchange }) => (exchange ? [[[], exchange.links]] : []),
  },
  {
    ...gauge(
      "drover_exchange_link_bytes",
      "Bytes waiting on the link between a worker and the exchange, by direction (to).",
      ["worker", "to"],
    ),
    samples: ({ workers, exchange }) => [
      ...liveGauges(workers, "exchangeLinkBytes").map(
        ([[worker = 0], bytes]): Sample => [[worker, "exchange"], bytes],
      ),
      ...(exchange?.waiting ?? []).map(([worker, bytes]): Sample => [[worker, "worker"], bytes]),
    ],
  },
  histogram(
    "drover_group_delivery_seconds",
    "Time from the sender to the last member in a worker, of one message in eight.",
    DELIVERY_BUCKETS,
    "deliverySeconds",
  ),
  ofWorker("drover_groups", "Groups that have members in the worker.", "groups"),
  ofWorker(
    "drover_group_memberships",
    "Memberships of processes of the worker in groups.",
    "groupMemberships",
  ),
  {
    ...counter("drover_group_published_total", "Messages sent to groups, by the sender's worker.", [
      "worker",
    ]),
    samples: ({ workers }) =>
      [...workers].map(([worker, totals]): Sample => [[worker], totals.total("groupPublished")]),
  },
  {
    ...counter(
      "drover_group_deliveries_total",
      "Messages delivered to members, by path: forward (written to the output) or message (put into the mailbox).",
      ["worker", "how"],
    ),
    samples: ({ workers }) =>
      [...workers].flatMap(([worker, totals]): Sample[] => [
        [[worker, "forward"], totals.total("groupForwarded")],
        [[worker, "message"], totals.total("groupDelivered")],
      ]),
  },
  {
    ...counter(
      "drover_group_dropped_total",
      "Dropped messages to members, by reason; worker 0 is the exchange.",
      ["worker", "reason"],
    ),
    samples: ({ workers, exchange }) => [
      ...ofExchange(exchange, ({ linkFull, workerDown }) => [
        [[0, "link_full"], linkFull],
        [[0, "worker_down"], workerDown],
      ]),
      ...ofNodes(exchange, ({ dropped }) =>
        NODE_DROP_REASONS.map((reason): Sample => [[0, reason], dropped[reason]]),
      ),
      ...[...workers].flatMap(([worker, totals]) =>
        GROUP_DROP_REASONS.map(
          (reason): Sample => [[worker, reason], totals.total(`groupDropped_${reason}`)],
        ),
      ),
    ],
  },
  {
    ...counter(
      "drover_group_malformed_total",
      "Records of other OS processes and servers that could not be read and were passed over; worker 0 is the exchange.",
      ["worker"],
    ),
    samples: ({ workers, exchange }) => [
      ...(exchange ? [[[0], exchange.malformed] as Sample] : []),
      ...[...workers].map(([worker, totals]): Sample => [[worker], totals.total("groupMalformed")]),
    ],
  },
  {
    ...gauge("drover_nodes", "Other servers of the cluster, by state; no series without --nats.", ["state"]),
    samples: ({ exchange }) =>
      ofNodes(exchange, ({ states }) => NODE_STATES.map((state): Sample => [[state], states[state]])),
  },
  {
    ...counter(
      "drover_node_lost_total",
      "Times that another server was declared gone: it ended, or sent no heartbeat within --node-timeout.",
      [],
    ),
    samples: ({ exchange }) => ofNodes(exchange, ({ lost }) => [[[], lost]]),
  },
  {
    ...counter(
      "drover_node_resyncs_total",
      "Requests for all groups and names of another server, at its start or after lost changes.",
      [],
    ),
    samples: ({ exchange }) => ofNodes(exchange, ({ resyncs }) => [[[], resyncs]]),
  },
  {
    ...gauge(
      "drover_node_clock_difference_seconds",
      "Largest difference of the wall clock to that of another server that is up.",
      [],
    ),
    samples: ({ exchange }) => ofNodes(exchange, ({ clockDifference }) => [[[], clockDifference / 1_000]]),
  },
  {
    ...gauge("drover_nats_up", "1 if the server is connected to NATS, else 0.", []),
    samples: ({ exchange }) => ofNodes(exchange, ({ carrier }) => [[[], Number(carrier.up)]]),
  },
  {
    ...counter("drover_nats_reconnects_total", "Reconnections to NATS.", []),
    samples: ({ exchange }) => ofNodes(exchange, ({ carrier }) => [[[], carrier.reconnects]]),
  },
  {
    ...gauge("drover_nats_round_trip_seconds", "Round trip to the NATS server, as last measured.", []),
    samples: ({ exchange }) =>
      ofNodes(exchange, ({ carrier }) =>
        carrier.roundTrip === undefined ? [] : [[[], carrier.roundTrip / 1_000]],
      ),
  },
  ofWorker("drover_names", "Names that processes of the worker hold.", "names"),
  {
    ...counter("drover_names_claimed_total", "Names granted, by the holder's worker.", ["worker"]),
    samples: ({ workers }) =>
      [...workers].map(([worker, totals]): Sample => [[worker], totals.total("namesClaimed")]),
  },
  {
    ...counter(
      "drover_names_replaced_total",
      "Names taken over by a newer claim, by the worker of the previous holder.",
      ["worker"],
    ),
    samples: ({ workers }) =>
      [...workers].map(([worker, totals]): Sample => [[worker], totals.total("namesReplaced")]),
  },
  {
    ...counter(
      "drover_names_contested_total",
      "Claims that waited because clients with the same name replace each other; worker 0 is the exchange.",
      ["worker"],
    ),
    samples: ({ workers, exchange }) => [
      ...(exchange ? [[[0], exchange.contested] as Sample] : []),
      ...[...workers].map(([worker, totals]): Sample => [[worker], totals.total("namesContested")]),
    ],
  },
  {
    ...counter(
      "drover_name_conflicts_total",
      "Names that were granted here and on another server, as in a partition, and whose holder here was replaced.",
      [],
    ),
    samples: ({ exchange }) => ofNodes(exchange, ({ conflicts }) => [[[], conflicts]]),
  },
  histogram(
    "drover_ask_seconds",
    "Time until an ask is answered, or fails, by the asker's worker.",
    ANSWER_BUCKETS,
    "answerSeconds",
  ),
  {
    ...counter("drover_asks_total", "Asks to the holders of names, by the asker's worker and result.", [
      "worker",
      "result",
    ]),
    samples: ({ workers }) =>
      [...workers].flatMap(([worker, totals]) =>
        ASK_RESULTS.map((result): Sample => [[worker, result], totals.total(`asks_${result}`)]),
      ),
  },
];
