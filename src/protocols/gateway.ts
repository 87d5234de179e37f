/**
 * Device gateway: each device connects, says its id, and can be asked by the name `device/ID` from anywhere: another
 * connection, `drover ask`, or HTTP. A frame is a JSON value in a line. An answer has the number of its request, so that
 * one that comes too late is never taken for the answer to the next request.
 *
 *   login ──{"id": "42"}──▶ online ──another connection with this id, silence──▶ end
 *
 *   to the device {"id": 1, "body": {"op": "read"}}, from it {"id": 1, "answer": 7}; without an id no answer is wanted
 */
import { type Conn, defineProtocol, type Json, json, names, next, type Request, stop } from "../index.js";

const devices = names<Json, Json>("device");
type Ask = Request<Json, Json>;
/** Requests that wait for an answer of one device. */
const MAX_OPEN = 32;

interface Device {
  /** Of the claim: a store that a device writes to refuses a lower one than it has seen. */
  token: number;
  /** Number of the last request. */
  last: number;
  /** Requests that were sent to the device, by number. */
  readonly open: Map<number, Ask>;
}
type DeviceConn = Conn<Device, Json, string, never, Ask>;

function idOf(hello: Json): string | undefined {
  const id = typeof hello === "object" && hello !== null && "id" in hello ? hello.id : undefined;
  return typeof id === "string" && /^[\w.:-]{1,64}$/.test(id) ? id : undefined;
}

/** A request whose asker has given up takes no place. */
function forgetGivenUp(open: Device["open"]): void {
  for (const [id, request] of open) if (!request.open) open.delete(id);
}

function pass(conn: DeviceConn, request: Ask): void {
  const { data } = conn;
  if (data.open.size >= MAX_OPEN) forgetGivenUp(data.open);
  if (request.open && data.open.size >= MAX_OPEN)
    return request.fail(`${MAX_OPEN} requests have no answer yet`);
  // Not open: no answer is wanted, or the asker has given up before the request could be passed on.
  if (!request.open && request.signal.aborted) return;
  try {
    conn.send(request.open ? { id: data.last + 1, body: request.body } : { body: request.body });
  } catch (error) {
    // Larger than a frame, such as one of 64 KiB: that is no reason to end the device.
    return request.fail((error as Error).message);
  }
  if (request.open) data.open.set(++data.last, request);
}

function take(conn: DeviceConn, frame: Json): void {
  const { id, answer } = (typeof frame === "object" && frame !== null ? frame : {}) as Record<string, Json>;
  if (typeof id !== "number" || answer === undefined)
    return void conn.send({
      error: "an answer has the id of its request",
      example: { id: 1, answer: { ok: true } },
    });
  conn.data.open.get(id)?.reply(answer);
  conn.data.open.delete(id);
}

export default defineProtocol({
  name: "gateway",
  framing: json<Json>({ maxLength: 64 * 1024 }),
  answers: devices,
  data: (): Device => ({ token: 0, last: 0, open: new Map() }),
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
      request: pass,
      frame: take,
      idle: { after: "5m", do: stop("silent") },
    },
  },
});
