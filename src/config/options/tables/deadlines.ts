/** Options of how long a connection may take. */
import { duration } from "../kinds.js";
import { optional, row } from "../row.js";

export const DEADLINES = {
  idleTimeout: optional({
    kind: duration(1),
    defaultText: "the protocol's own, else 2m",
    placeholder: "DURATION",
    sentence: "Close a connection whose client has sent nothing for this long.",
  }),
  shutdown: row({
    kind: duration(0),
    default: 2000,
    placeholder: "DURATION",
    sentence: "Time for each connection to finish when the server stops; then it is closed.",
  }),
};
