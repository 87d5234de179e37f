/** Compiled, not run: what the compiler knows of names. */
import { defineProtocol, type Json, json, lines, names, next, type Request, stop } from "../../src/index.js";

interface Command {
  readonly [key: string]: string;
  readonly op: "reboot" | "read";
}
interface Answer {
  readonly [key: string]: boolean;
  readonly ok: boolean;
}
const devices = names<Command, Answer>("device");

export const gateway = defineProtocol({
  name: "gw",
  framing: json(),
  answers: devices,
  data: () => ({ token: 0, waiting: [] as Request<Command, Answer>[] }),
  states: {
    login: {
      frame: async (conn, id) => {
        conn.data.token = (await devices.claim(conn, String(id))).token;
        return next("online");
      },
    },
    online: {
      request: (conn, request) => {
        conn.data.waiting.push(request);
        conn.send(request.body);
        // @ts-expect-error not an answer
        request.reply({ okay: 1 });
      },
      frame: (conn) => {
        conn.data.waiting.shift()?.reply({ ok: true });
      },
      replaced: () => stop("replaced"),
    },
  },
});

export const answer: Promise<Answer> = devices.ask("42", { op: "reboot" }, { within: "5s" });
// @ts-expect-error wrong command
devices.send("42", { op: "explode" });
// @ts-expect-error not portable
names<Date>("x");
// @ts-expect-error not portable
names<Command, unknown>("x");
names<{ op: string }, Json>("x");
/** What the answer is for may end with the ask. */
export const fetched = (request: Request<Command, Answer>) =>
  request.open ? fetch("http://127.0.0.1", { signal: request.signal }) : undefined;

defineProtocol({
  name: "x",
  framing: lines(),
  states: {
    s: {
      enter: (conn) => {
        // @ts-expect-error this protocol answers none
        void devices.claim(conn, "x");
      },
    },
  },
});
