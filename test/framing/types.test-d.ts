/** Compiled, not run: what the compiler knows of the values that a framing sends. */
import { defineProtocol, RespError, RespPush, RespVerbatim, resp } from "../../src/index.js";

defineProtocol({
  name: "store",
  framing: resp(),
  states: {
    ready: {
      frame: (conn, words) => {
        conn.send(words.length);
        conn.send([null, "OK", Buffer.from("a"), 2n, true, new Map([["k", new Set([1.5])]])]);
        conn.send(new RespError("ERR no such key"));
        conn.send(new RespPush(["message", new RespVerbatim("txt", Buffer.from("a"))]));
        // @ts-expect-error an error reply is a RespError
        conn.send(new Error("ERR no such key"));
        // @ts-expect-error nor in an array
        conn.send(["OK", new TypeError("ERR")]);
        // @ts-expect-error an object is a Map
        conn.send({ key: "value" });
      },
    },
  },
});
