/** Options of how much the server takes on, over all clients. */
import { WHEN_FULL } from "../../../tcp/admission/full-policy.js";
import { autoOr, duration, integer, memory, oneOf, rate } from "../kinds.js";
import { optional, row } from "../row.js";

export const LIMITS = {
  maxConnections: row({
    kind: autoOr(1, 10_000_000),
    default: "auto",
    placeholder: "N|auto",
    sentence: "Maximum open connections over all workers; auto follows the file-descriptor limit.",
  }),
  whenFull: row({
    kind: oneOf(...WHEN_FULL),
    default: "queue",
    placeholder: "WHAT",
    sentence:
      "What a client meets at --max-connections: queue (it waits), refuse (it is closed) or shed, where it takes the place of the longest idle one.",
  }),
  acceptRate: optional({
    kind: rate(),
    defaultText: "no limit",
    placeholder: "RATE",
    sentence:
      "New connections accepted in a second over all workers; what comes above waits in the backlog; 100:500 accepts 500 at once.",
  }),
  maxMemory: optional({
    kind: memory(96),
    defaultText: "no limit",
    placeholder: "SIZE",
    sentence:
      "Memory of a worker, such as 512M: at 90 % it stops accepting, above it closes connections, and it is replaced if that does not help.",
  }),
  maxLag: row({
    kind: duration(0),
    default: 1_000,
    placeholder: "DURATION",
    sentence: "Stop accepting in a worker while its event loop lags this long again and again; 0 disables.",
  }),
  backlog: row({
    kind: integer(1, 65_535),
    default: 1024,
    placeholder: "N",
    sentence: "Length of the listen backlog: connections that wait in the kernel to be accepted.",
  }),
};
