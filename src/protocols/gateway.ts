/**
 * Device gateway: each device connects, says its id, and can be asked by the name `device/ID` from anywhere: another
 * connection, `drover ask`, or HTTP. A frame is a JSON value in a line. Answers come in the order of the requests.
 *
 *   login ──{"id": "42"}──▶ online ──another connection with this id, silence──▶ end
 */
import { defineProtocol, type Json, json, names, next, type Request, stop } from "../index.js";

const devices = names<Json, Json>("device");
/** Requests that a device may leave without an answer. */
const MAX_OPEN = 32;

interface Device {
  /** Of the claim: a store that a device writes to refuses a lower one than it has seen. */
  token: number;
  /** Requests that were sent to the device, oldest first. */
  readonly open: Request<Json, Json>[];
}

function idOf(hello: Json): string | undefined {
  const id = typeof hello === "object" && hello !== null && "id" in hello ? hello.id : undefined;
  return typeof id === "string" && /^[\w.:-]{1,64}$/.test(id) ? id : undefined;
}

export default defineProtocol({
  name: "gateway",
  framing: json<Json>({ maxLength: 64 * 1024 }),
  answers: devices,
  data: (): Device => ({ token: 0, open: [] }),
  states: {
    login: {
      timeout: { after: "10s", do: stop("no_login") },
      frame: async (conn, hello) => {
        const id = idOf(hello);
        if (id === undefined) {
          conn.send({ error: "say who you are", example: { id: "42" } });
          return stop("no_id");
        }
        const { token } = await devices.claim(conn, id);
        conn.data.token = token;
        conn.send({ hello: id, token });
        return next("online");
      },
    },
    online: {
      request: (conn, request) => {
        if (conn.data.open.length >= MAX_OPEN) return request.fail(`${MAX_OPEN} requests have no answer yet`);
        conn.data.open.push(request);
        conn.send(request.body);
      },
      frame: (conn, answer) => conn.data.open.shift()?.reply(answer),
      idle: { after: "5m", do: stop("silent") },
    },
  },
});
