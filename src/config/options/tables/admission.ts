/** Options of which client addresses are admitted, and how much one address may do. */
import { duration, integer, networks, rate } from "../kinds.js";
import { optional, row } from "../row.js";

export const ADMISSION = {
  allow: optional({
    kind: networks(),
    defaultText: "all",
    placeholder: "NETWORKS",
    sentence:
      "The only networks whose clients are admitted: 10.0.0.0/8,2001:db8::/32; behind a proxy the client's address counts.",
  }),
  deny: optional({
    kind: networks(),
    defaultText: "none",
    placeholder: "NETWORKS",
    sentence: "Networks whose clients are refused, even if --allow has them.",
  }),
  maxPerAddress: optional({
    kind: integer(1, 10_000_000),
    defaultText: "no limit",
    placeholder: "N",
    sentence: "Maximum open connections of one client address, or of one /64 of IPv6, over all workers.",
  }),
  addressRate: optional({
    kind: rate(),
    defaultText: "no limit",
    placeholder: "RATE",
    sentence: "New connections a second of one client address; 10:50 allows 50 at once.",
  }),
  addressBan: row({
    kind: duration(0),
    default: 0,
    defaultText: "0: only while it exceeds it",
    placeholder: "DURATION",
    sentence: "Refuse a client address for this long once it exceeds --max-per-address or --address-rate.",
  }),
  exceptionBan: row({
    kind: duration(0),
    default: 0,
    defaultText: "0: never",
    placeholder: "DURATION",
    sentence:
      "Refuse a client address for this long, and end its connections, once code of its connection has thrown outside of any process, which ends the worker.",
  }),
};
