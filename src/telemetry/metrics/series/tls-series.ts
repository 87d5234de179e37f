/** Metrics of TLS: handshakes, when certificates end, and their reloads. */
import { HANDSHAKE_RESULTS } from "../../../tcp/observe/events.js";
import { counter, gauge, ofListeners, type Sample, type SeriesRow } from "./series-row.js";

/** Only listeners with TLS have these series. */
export const TLS_SERIES: readonly SeriesRow[] = [
  {
    ...counter("drover_handshakes_total", "TLS handshakes that have ended, by result.", [
      "worker",
      "listener",
      "result",
    ]),
    samples: (state) =>
      ofListeners(state).flatMap(([worker, { name, tls }, totals]) =>
        (tls ? HANDSHAKE_RESULTS : []).map(
          (result): Sample => [[worker, name, result], totals.total(`handshakes_${result}`)],
        ),
      ),
  },
  {
    ...gauge(
      "drover_certificate_expiry_seconds",
      "Seconds until the certificate ends; negative once it has.",
      ["listener", "name"],
    ),
    samples: ({ certificates }) => {
      // Two certificates may have one name, an ECDSA and an RSA one: the earlier end counts.
      const soonest = new Map<string, (typeof certificates)[number]>();
      for (const one of certificates) {
        const key = `${one.listener}\n${one.name}`;
        if (one.secondsLeft < (soonest.get(key)?.secondsLeft ?? Infinity)) soonest.set(key, one);
      }
      return [...soonest.values()].map(({ listener, name, secondsLeft }) => [[listener, name], secondsLeft]);
    },
  },
  {
    ...counter(
      "drover_certificate_reloads_total",
      "Reloads of the certificates of a listener: reloaded, unchanged or refused.",
      ["result"],
    ),
    samples: ({ certificateReloads }) =>
      ["reloaded", "unchanged", "refused"].map((result) => [[result], certificateReloads.get(result) ?? 0]),
  },
];
