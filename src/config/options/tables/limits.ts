/** Options of how much the server takes on, over all clients. */
import { autoOr, integer } from "../kinds.js";
import { row } from "../row.js";

export const LIMITS = {
  maxConnections: row({
    kind: autoOr(1, 10_000_000),
    default: "auto",
    placeholder: "N|auto",
    sentence: "Maximum open connections over all workers; auto follows the file-descriptor limit.",
  }),
  backlog: row({
    kind: integer(1, 65_535),
    default: 1024,
    placeholder: "N",
    sentence: "Length of the listen backlog: connections that wait in the kernel to be accepted.",
  }),
};
