/**
 * MQTT 3.1.1: a broker with quality of service 0 and 1, retained messages, wills and wildcards. A session lasts as long as
 * its connection.
 *
 *   connecting ──CONNECT, within 10 s──▶ online ──DISCONNECT, silence, a newer connection of this client──▶ end
 */
import { randomUUID } from "node:crypto";
import { type Conn, counter, defineProtocol, next, stop } from "../index.js";
import { enter, leave, publish, type Session, sendRetained, subscribe, unsubscribe } from "./mqtt/broker.js";
import { FAULTS, faultOf, framing, number, type Packet, packet } from "./mqtt/packets.js";

const CONNACK = { accepted: 0, badLevel: 1, badClientId: 2 };
const connack = (code: number): Buffer => packet(0x20, Buffer.from([0, code]));

export default defineProtocol({
  name: "mqtt",
  framing,
  // Subscriptions and retained messages are one table, in the memory of one worker.
  workers: 1,
  metrics: {
    malformed: counter("Connections ended by a malformed packet", { what: FAULTS }),
    messages: counter("Messages received", { qos: ["0", "1"] }),
    deliveries: counter("Messages for subscribers", { result: ["sent", "lost"] }),
  },
  reasons: ["no_connect", "refused", "disconnect", "keep_alive", "taken_over", "slow_client", "out_of_order"],
  data: (): Session => ({
    clientId: "",
    will: undefined,
    keepAlive: 0,
    filters: new Set(),
    unacknowledged: new Set(),
    nextId: 0,
    full: false,
  }),
  states: {
    connecting: {
      timeout: { after: "10s", do: stop("no_connect") },
      frame: (conn, first) => {
        if (first.type !== "connect") return stop("out_of_order");
        const code = verdict(first);
        conn.send(connack(code));
        if (code !== CONNACK.accepted) return stop("refused");
        const { clientId, will, keepAlive } = first;
        Object.assign(conn.data, { clientId: clientId || randomUUID(), will, keepAlive });
        return next("online");
      },
      bad: (conn, error) => conn.metrics.malformed.inc({ what: faultOf(error) }),
    },
    online: {
      enter: (conn) => {
        enter(conn);
        if (conn.data.keepAlive > 0) conn.setTimer("keepAlive", conn.data.keepAlive * 1500);
      },
      frame: (conn, received) => {
        // Half as long again as the client has promised to say something, as the standard wants it.
        if (conn.data.keepAlive > 0) conn.setTimer("keepAlive", conn.data.keepAlive * 1500);
        switch (received.type) {
          case "publish": {
            conn.metrics.messages.inc({ qos: received.qos === 1 ? "1" : "0" });
            count(conn, publish(received));
            return received.qos === 1 ? conn.send(packet(0x40, number(received.id))) : undefined;
          }
          case "puback":
            return void conn.data.unacknowledged.delete(received.id);
          case "subscribe":
            conn.send(packet(0x90, number(received.id), Buffer.from(subscribe(conn, received.filters))));
            return sendRetained(conn, received.filters);
          case "unsubscribe":
            for (const filter of received.filters) unsubscribe(conn, filter);
            return conn.send(packet(0xb0, number(received.id)));
          case "pingreq":
            return conn.send(packet(0xd0));
          case "disconnect":
            conn.data.will = undefined;
            return stop("disconnect");
          case "connect":
            return stop("out_of_order");
        }
      },
      bad: (conn, error) => conn.metrics.malformed.inc({ what: faultOf(error) }),
      // Of the broker: a newer connection of this client, or too many messages that it has not acknowledged.
      message: (_conn, reason: "taken_over" | "slow_client") => stop(reason),
      drained: (conn) => {
        conn.data.full = false;
      },
      timers: { keepAlive: stop("keep_alive") },
      // With a keep-alive of 0 a client may be silent for as long as it likes.
      idle: { after: "24h", do: stop("keep_alive") },
      leave: (conn) => {
        leave(conn);
        if (conn.data.will !== undefined) count(conn, publish(conn.data.will));
      },
    },
  },
});

function verdict({ level, clientId, clean }: Extract<Packet, { type: "connect" }>): number {
  if (level !== 4) return CONNACK.badLevel;
  return clientId === "" && !clean ? CONNACK.badClientId : CONNACK.accepted;
}

function count(
  conn: Pick<Conn<Session, Buffer>, "metrics">,
  { sent, lost }: ReturnType<typeof publish>,
): void {
  if (sent > 0) conn.metrics.deliveries.inc({ result: "sent" }, sent);
  if (lost > 0) conn.metrics.deliveries.inc({ result: "lost" }, lost);
}
