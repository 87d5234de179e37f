/** Metrics of certificates: when they end, and their reloads. */
import { counter, gauge, type SeriesRow } from "./series-row.js";

export const CERTIFICATE_SERIES: readonly SeriesRow[] = [
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
