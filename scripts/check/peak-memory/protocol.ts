// The protocol under measurement: what clients can make a worker hold, with bounds that a laptop can reach.
export const MIB = 2 ** 20;
export const INBOUND = 64 * MIB;
export const OUTBOUND = 64 * MIB;
/** Longest frame. */
export const MAX_FRAME = MIB;
/** Length of a large answer: below `limits.maxOutbound`, so that nothing but the worker's bound ends its client. */
export const ANSWER = 900 * 1024;
/** What a member of a group that does not read may have waiting. */
export const MEMBER_WAITING = 64 * 1024;

/** What a frame with one of these texts does; every other frame is echoed. */
export const ORDER = { answer: "answer", wait: "wait", join: "join", publish: "publish" } as const;

export const PROTOCOL = `import { defineProtocol, forward, group, packet } from "drover";

const all = group("all");
const message = "m".repeat(16_000);
const orders = {
  ${ORDER.answer}: (conn) => conn.send(Buffer.alloc(${ANSWER}, 1)),
  ${ORDER.wait}: () => new Promise((resolve) => setTimeout(resolve, 50)),
  ${ORDER.join}(conn) {
    all.join(conn);
    conn.send("ok");
  },
  ${ORDER.publish}: () => all.send(message),
};

export default defineProtocol({
  name: "peak",
  framing: packet(4, { maxLength: ${MAX_FRAME} }),
  takes: all,
  limits: { frame: "1m", send: "1m", idle: "5m", workerInbound: ${INBOUND}, workerOutbound: ${OUTBOUND} },
  states: {
    ready: {
      frame(conn, frame) {
        const order = frame.length < 16 ? orders[frame.toString()] : undefined;
        return order ? order(conn) : void conn.send(frame);
      },
      message: forward,
    },
  },
});
`;
