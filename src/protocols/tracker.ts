/**
 * Tracker: GPS devices that log in by their number, then send positions, which are written to a journal.
 *
 *   login ──IMEI, within 10 s──▶ online ──10 min of silence, a bad packet──▶ end
 */
import * as v from "valibot";
import { counter, defineProtocol, histogram, next, stop } from "../index.js";
import { Journal } from "./tracker/journal.js";
import {
  FAULTS,
  faultOf,
  framing,
  HEARTBEAT,
  imeiOf,
  LOGIN,
  POSITION,
  positionOf,
} from "./tracker/packets.js";

const NOTHING = Buffer.alloc(0);

export default defineProtocol({
  name: "tracker",
  framing,
  // Seconds that the journal may take; then the device is cut off, and sends its positions again.
  limits: { handler: "5s" },
  options: v.object({ journal: v.optional(v.string(), "positions.jsonl") }),
  worker: {
    start: ({ options }) => Journal.open(options.journal),
    stop: (journal) => journal.close(),
  },
  metrics: {
    logins: counter("Log-ins by result", { result: ["ok", "bad"] }),
    positions: counter("Positions by result", { result: ["written", "bad"] }),
    kmh: histogram("Speed in km/h", [1, 30, 60, 100, 150]),
    badFrames: counter("Connections ended by bytes that are no packet", { what: FAULTS }),
  },
  reasons: ["no_login", "bad_login", "bad_packet", "silent"],
  data: () => ({ imei: "" }),
  states: {
    login: {
      timeout: { after: "10s", do: stop("no_login") },
      frame: (conn, packet) => {
        const imei = packet.type === LOGIN ? imeiOf(packet) : undefined;
        conn.metrics.logins.inc({ result: imei === undefined ? "bad" : "ok" });
        if (imei === undefined) return stop("bad_login");
        conn.data.imei = imei;
        conn.send({ ...packet, content: NOTHING });
        return next("online");
      },
      bad: (conn, error) => {
        conn.metrics.badFrames.inc({ what: faultOf(error) });
        return stop("bad_packet");
      },
    },
    online: {
      frame: async (conn, packet) => {
        const { type } = packet;
        if (type === LOGIN || type === HEARTBEAT) return conn.send({ ...packet, content: NOTHING });
        if (type !== POSITION)
          return conn.log.debug({ imei: conn.data.imei, type }, "packet of another type");
        const position = positionOf(packet);
        if (position === undefined) return conn.metrics.positions.inc({ result: "bad" });
        // The next packet waits until this one is written: a slow disk pushes back on the device.
        await conn.worker.write({ imei: conn.data.imei, ...position });
        conn.metrics.positions.inc({ result: "written" });
        conn.metrics.kmh.observe(position.kmh);
      },
      bad: (conn, error) => {
        conn.metrics.badFrames.inc({ what: faultOf(error) });
        return stop("bad_packet");
      },
      idle: { after: "10m", do: stop("silent") },
    },
  },
});
