/** Compiled, not run: what the compiler knows of `setFraming` and `become`. */
import {
  become,
  defineProtocol,
  delimited,
  erlang,
  fixed,
  lines,
  netstring,
  next,
  type Protocol,
  packet,
  startTls,
  stateTimeout,
} from "../../../src/index.js";

const binary = defineProtocol({
  name: "binary",
  framing: packet(2),
  data: () => ({ user: "" }),
  states: { open: { frame: (conn, frame) => conn.send(frame.subarray(1)) } },
});

export const right = defineProtocol({
  name: "right",
  framing: delimited("\r\n"),
  states: {
    command: {
      frame: (conn, line) => {
        if (line.length > 9) return become(binary, { user: "ann" });
        conn.setFraming(fixed(7));
        conn.setFraming(netstring());
        conn.setFraming(lines({ encoding: "buffer" }));
        return conn.outbound > 0 ? next("payload") : next("payload", startTls());
      },
      message: async (conn) => (conn.outbound > 0 ? become(binary) : undefined),
    },
    payload: { timeout: { after: "1s", do: () => become(binary) } },
  },
  becomes: () => [binary, other],
});

/** Of two that list each other, one is annotated. */
export const other: Protocol<"only", undefined, string, string> = defineProtocol({
  name: "other",
  framing: lines(),
  states: { only: { frame: () => become(right) } },
  becomes: () => [right],
});

export const wrong = defineProtocol({
  name: "wrong",
  framing: delimited("\r\n"),
  states: {
    command: {
      enter: (conn) => {
        // @ts-expect-error received frames are strings
        conn.setFraming(lines());
        // @ts-expect-error frames that can be sent here, strings, could not be sent
        conn.setFraming(erlang.tpkt());
        // @ts-expect-error its data has a `user`
        return become(binary, { name: "ann" });
      },
      // @ts-expect-error no such state
      ended: () => next("nowhere", startTls()),
      // @ts-expect-error only connections begin TLS
      passive: () => next("command", stateTimeout("1s")),
      // @ts-expect-error a step by itself would be made before the other protocol is defined
      timeout: { after: "1s", do: become(binary) },
    },
  },
  // @ts-expect-error a function
  becomes: [binary],
});
