/** Metrics of groups and of the exchange; exported only where a protocol takes messages of groups. */
import { ASK_RESULTS, GROUP_DROP_REASONS } from "../../tcp/observe/events.js";
import { counter, gauge, ofWorker, type Sample, type SeriesRow } from "./series-row.js";

export const GROUP_SERIES: readonly SeriesRow[] = [
  {
    ...gauge("drover_exchange_up", "1 if the exchange answers, else 0; no series where none is needed.", []),
    samples: ({ exchange }) => (exchange ? [[[], Number(exchange.up)]] : []),
  },
  {
    ...gauge("drover_exchange_links", "Workers that are connected to the exchange.", []),
    samples: ({ exchange }) => (exchange ? [[[], exchange.links]] : []),
  },
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
      "Messages that members got: forward went straight to the output, message into the mailbox.",
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
      "Messages that members did not get, by reason; worker 0 is the exchange.",
      ["worker", "reason"],
    ),
    samples: ({ workers, exchange }) => [
      ...(exchange ? [[[0, "link_full"], exchange.linkFull] as Sample] : []),
      ...[...workers].flatMap(([worker, totals]) =>
        GROUP_DROP_REASONS.map(
          (reason): Sample => [[worker, reason], totals.total(`groupDropped_${reason}`)],
        ),
      ),
    ],
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
      "Names that a newer claim took, by the worker of the holder before.",
      ["worker"],
    ),
    samples: ({ workers }) =>
      [...workers].map(([worker, totals]): Sample => [[worker], totals.total("namesReplaced")]),
  },
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
