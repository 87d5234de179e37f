/** Options of how much the server takes on, over all clients. */
import { autoOr, integer, rate } from "../kinds.js";
import { optional, row } from "../row.js";

export const LIMITS = {
  maxConnections: row({
    kind: autoOr(1, 10_000_000),
    default: "auto",
    placeholder: "N|auto",
    sentence: "Maximum open connections over all workers; auto follows the file-descriptor limit.",
  }),
  acceptRate: optional({
    kind: rate(),
    defaultText: "no limit",
    placeholder: "RATE",
    sentence:
      "New connections accepted in a second over all workers; what comes above waits in the backlog; 100:500 accepts 500 at once.",
  }),
  backlog: row({
    kind: integer(1, 65_535),
    default: 1024,
    placeholder: "N",
    sentence: "Length of the listen backlog: connections that wait in the kernel to be accepted.",
  }),
};
