/** Compiled, not run: what the compiler knows of named timers. */
import { type Conn, defineProtocol, lines, next, postpone, stop } from "../../../src/index.js";

/** Names and states are known everywhere, whichever state lists a timer; nothing is annotated. */
export const right = defineProtocol({
  name: "right",
  framing: lines(),
  data: () => ({ missed: 0 }),
  states: {
    greeting: {
      enter: (conn) => conn.setTimer("pong", "10s"),
      frame: () => next("talking"),
      timers: { pong: stop("no_name"), ping: postpone },
    },
    talking: {
      frame: (conn) => conn.cancelTimer("pong"),
      timers: {
        ping: {
          after: "30s",
          do: (conn) => {
            conn.send("ping");
            conn.setTimer("pong", 5_000);
          },
        },
        pong: (conn) => (++conn.data.missed > 2 ? stop("dead") : next("greeting")),
      },
      idle: { after: Infinity, do: (conn) => conn.setTimer("ping", 0) },
    },
  },
  terminate: (conn) => conn.cancelTimer("ping"),
});

/** A helper for connections of any protocol takes them all. */
const soon = (conn: Conn<unknown, string>) => conn.send("soon");

export const wrong = defineProtocol({
  name: "wrong",
  framing: lines(),
  states: {
    ready: {
      frame: (conn) => {
        soon(conn);
        // @ts-expect-error no such timer
        conn.setTimer("pnig", "1s");
        // @ts-expect-error no such timer
        conn.cancelTimer("pnig");
        // @ts-expect-error bad duration
        conn.setTimer("ping", "1 sec");
        // @ts-expect-error for how long?
        conn.setTimer("ping");
      },
      timers: { ping: stop() },
    },
    // @ts-expect-error no such state
    second: { timers: { ping: next("thrid") } },
    third: {
      // @ts-expect-error bad duration
      timers: { ping: { after: "1 sec", do: stop() } },
    },
    fourth: {
      timers: {
        ping: (conn) => {
          // @ts-expect-error no such timer
          conn.setTimer("pnig", "1s");
          // @ts-expect-error lines() sends strings
          conn.send(12);
        },
      },
    },
    fifth: {
      // @ts-expect-error a state's own timeout cannot be put off
      timeout: { after: "1s", do: postpone },
    },
  },
});

export const none = defineProtocol({
  name: "none",
  framing: lines(),
  states: {
    ready: {
      // @ts-expect-error no state lists a timer
      frame: (conn) => conn.setTimer("ping", "1s"),
    },
  },
});
