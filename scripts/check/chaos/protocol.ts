// The protocol of the server under chaos, as the file that it is given: echo, with short limits so that every client
// is answered or ended within the 5 s that the run demands.

/** What a frame with one of these texts does; every other frame is echoed. */
export const ORDER = {
  /** Blocks the worker's event loop for ever. */
  hang: "chaos: hang",
  /** Makes the handler throw. */
  throw: "chaos: throw",
  /** Takes memory of the heap until there is none. */
  heap: "chaos: heap",
  /** Takes up to a gigabyte outside of the heap, then blocks: where another worker was killed for it, its own end. */
  bytes: "chaos: bytes",
  /** Writes a line to the standard output. */
  print: "chaos: print",
  /** Joins the group; echoed when done. */
  join: "chaos: join",
  /** Sends `PUBLISHED` to the group. */
  publish: "chaos: publish",
} as const;

export const PUBLISHED = "published";
/** Longest payload; a header with more is refused. */
export const MAX_FRAME = 65_536;

export const PROTOCOL = `import { defineProtocol, forward, group, packet, stop } from "drover";

const all = group("chaos");
const kept = [];

const orders = {
  "${ORDER.hang}"() {
    for (;;);
  },
  "${ORDER.throw}"() {
    throw new Error("thrown on request");
  },
  "${ORDER.heap}"() {
    for (;;) kept.push(new Array(1_000).fill(kept.length));
  },
  "${ORDER.bytes}"() {
    while (kept.length < 1024) kept.push(Buffer.alloc(1 << 20, 1));
    for (;;);
  },
  "${ORDER.print}"() {
    console.log("a line of the protocol");
  },
  "${ORDER.join}": (conn) => all.join(conn),
  "${ORDER.publish}": () => all.send("${PUBLISHED}"),
};

export default defineProtocol({
  name: "chaos",
  framing: packet(4, { maxLength: ${MAX_FRAME} }),
  takes: all,
  limits: { frame: "3s", send: "3s", handler: "3s" },
  states: {
    ready: {
      frame(conn, frame) {
        if (frame.length < 16) orders[frame.toString()]?.(conn);
        conn.send(frame);
      },
      message: forward,
      idle: { after: "1m", do: stop("idle") },
    },
  },
});
`;
