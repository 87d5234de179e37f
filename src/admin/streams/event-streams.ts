/**
 * Server-sent events. They bypass hono and are written to the socket, where the unread length is known: a client
 * that reads too slowly is disconnected, so that its output queue stays bounded.
 */
import type { ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Context } from "hono";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { Env } from "../access/guard.js";

/** Open streams on the TCP port, and on the control socket. */
export const MAX_STREAMS = 16;
/** Unread bytes of one client. */
export const MAX_UNREAD = 256 * 1024;
/** Milliseconds between two comments: proxies and this server close idle connections. */
const PING_INTERVAL = 15_000;

export class EventStreams {
  readonly #open = new Set<EventStream>();

  get size(): number {
    return this.#open.size;
  }

  /** Ends all streams when the server closes. */
  close(): void {
    for (const stream of this.#open) stream.end();
  }

  /** Answers with a stream, which is passed to `begin`; a HEAD gets the headers only. */
  answer(c: Context<Env>, begin: (stream: EventStream) => void): Response {
    if (c.req.method === "HEAD") return c.body(null, 200, HEADERS);
    if (this.#open.size >= MAX_STREAMS) {
      const error = `too many event streams: ${MAX_STREAMS} are open: close one`;
      return c.json({ error }, 503, { "retry-after": "5" });
    }
    const { outgoing } = c.env;
    // The client may have disconnected already.
    if (!outgoing.destroyed) {
      const stream = new EventStream(outgoing, () => this.#open.delete(stream));
      this.#open.add(stream);
      begin(stream);
    }
    return RESPONSE_ALREADY_SENT;
  }
}

const HEADERS = { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" };

export class EventStream {
  readonly #outgoing: ServerResponse;
  readonly #closed = new AbortController();
  #ping: TimerRef = undefined;

  constructor(outgoing: ServerResponse, onClose: () => void) {
    this.#outgoing = outgoing;
    outgoing.writeHead(200, HEADERS);
    outgoing.flushHeaders();
    outgoing.on("close", () => {
      clock.clearTimeout(this.#ping);
      onClose();
      this.#closed.abort();
    });
    this.#arm();
  }

  /** Aborted when the client has disconnected, was disconnected, or the stream has ended. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /** @param data one line */
  event(name: string, data: string): void {
    this.#write(`event: ${name}\ndata: ${data}\n\n`);
  }

  /** Bytes that the client has not read. */
  get unread(): number {
    return this.#outgoing.writableLength;
  }

  /** @param then called each time the client has read all */
  onDrain(then: () => void): void {
    this.#outgoing.on("drain", then);
  }

  /** Ends the stream once everything is sent. */
  end(): void {
    clock.clearTimeout(this.#ping);
    this.#outgoing.end();
  }

  #arm(): void {
    this.#ping = clock.setTimeout(
      () => {
        this.#write(": ping\n\n");
        this.#arm();
      },
      PING_INTERVAL,
      true,
    );
  }

  #write(text: string): void {
    const { destroyed, writableEnded, writableLength } = this.#outgoing;
    if (destroyed || writableEnded) return;
    if (writableLength > MAX_UNREAD) this.#outgoing.destroy();
    else this.#outgoing.write(text);
  }
}
