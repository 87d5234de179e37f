/**
 * Answers that do not end: server-sent events. They are written past hono, straight to the socket: only there
 * is it known how much a reader has not taken yet. Who reads too slowly is cut off, never waited for, and what
 * waits for it never grows beyond a bound.
 */
import type { ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Context } from "hono";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { Env } from "../access/guard.js";

/** Streams through one door at most. */
export const MOST_STREAMS = 16;
/** Bytes that may wait for a reader. */
export const MOST_WAITING = 256 * 1024;
/** Silence is broken this often: proxies and the server itself close what is silent for longer. */
const PING_EVERY = 15_000;

export class Streams {
  readonly #open = new Set<Stream>();

  get size(): number {
    return this.#open.size;
  }

  /** Ends them all: the server goes down, and whoever listens is to know it at once. */
  close(): void {
    for (const stream of this.#open) stream.end();
  }

  /** Answers with a stream, which `begin` is given; for a HEAD with its headers alone. */
  answer(c: Context<Env>, begin: (stream: Stream) => void): Response {
    if (c.req.method === "HEAD") return c.body(null, 200, HEADERS);
    if (this.#open.size >= MOST_STREAMS) {
      const error = `${MOST_STREAMS} streams are open, which is as many as there may be: close one`;
      return c.json({ error }, 503, { "retry-after": "5" });
    }
    const { outgoing } = c.env;
    // Asked by somebody who has gone already.
    if (!outgoing.destroyed) {
      const stream = new Stream(outgoing, () => this.#open.delete(stream));
      this.#open.add(stream);
      begin(stream);
    }
    return RESPONSE_ALREADY_SENT;
  }
}

const HEADERS = { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" };

export class Stream {
  readonly #outgoing: ServerResponse;
  readonly #gone = new AbortController();
  #ping: TimerRef = undefined;

  constructor(outgoing: ServerResponse, onClose: () => void) {
    this.#outgoing = outgoing;
    outgoing.writeHead(200, HEADERS);
    outgoing.flushHeaders();
    outgoing.on("close", () => {
      clock.clearTimeout(this.#ping);
      onClose();
      this.#gone.abort();
    });
    this.#arm();
  }

  /** Aborted when the reader has gone, was cut off, or the stream was ended. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** @param data one line */
  event(name: string, data: string): void {
    this.#write(`event: ${name}\ndata: ${data}\n\n`);
  }

  /** Ends it once everything is out. */
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
      PING_EVERY,
      true,
    );
  }

  #write(text: string): void {
    const { destroyed, writableEnded, writableLength } = this.#outgoing;
    if (destroyed || writableEnded) return;
    if (writableLength > MOST_WAITING) this.#outgoing.destroy();
    else this.#outgoing.write(text);
  }
}
