/** Options of what one connection may do, and how much all of a worker may hold: they override the protocol's limits. */
import { bytes, duration, integer } from "../kinds.js";
import { optional } from "../row.js";

const NONE = "the protocol's own, else no limit";
const PER_WORKER = "the protocol's own, else 256M";

export const CONNECTIONS = {
  firstFrame: optional({
    kind: duration(1),
    defaultText: NONE,
    placeholder: "DURATION",
    sentence: "Time from accept to a connection's first whole frame, such as a login; then it is closed.",
  }),
  lifetime: optional({
    kind: duration(1),
    defaultText: NONE,
    placeholder: "DURATION",
    sentence: "Time from accept after which a connection is closed, however busy it is.",
  }),
  framesPerSecond: optional({
    kind: integer(1, 10_000_000),
    defaultText: NONE,
    placeholder: "N",
    sentence: "Frames of one connection a second; what comes above waits in the kernel.",
  }),
  bytesPerSecond: optional({
    kind: bytes(1, "64K or 1M"),
    defaultText: NONE,
    placeholder: "SIZE",
    sentence: "Bytes that one connection sends a second, such as 64K; what comes above waits in the kernel.",
  }),
  workerOutbound: optional({
    kind: bytes(1024 * 1024, "64M or 1G"),
    defaultText: PER_WORKER,
    placeholder: "SIZE",
    sentence: "Waiting output of all connections of a worker; above it, those with the most are closed.",
  }),
  workerInbound: optional({
    kind: bytes(1024 * 1024, "64M or 1G"),
    defaultText: PER_WORKER,
    placeholder: "SIZE",
    sentence:
      "Bytes of unfinished frames of all connections of a worker; above it, those with the most are closed.",
  }),
};
