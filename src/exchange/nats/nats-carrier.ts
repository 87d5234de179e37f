/**
 * NATS as carrier between servers. The client's own reconnecting is off: every connection is a new client, one server
 * after the other, for ever. While there is none, the server goes on alone.
 */
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { Carrier, CarrierEvent, CarrierHandlers, CarrierStatus } from "../nodes/carrier.js";
import type { NatsOptions } from "../nodes/options.js";
import { SlowServerError } from "./attempt-sockets.js";
import { connectOnce, loadClient, type NatsClient, outsideMessage } from "./client.js";
import { EventLimit } from "./event-limit.js";
import { NatsLink } from "./nats-link.js";
import { OUTSIDE_KINDS, type Outside } from "./outside.js";
import { Subjects } from "./subjects.js";
import { reasonOf, troubleEvent } from "./trouble.js";

/**
 * Milliseconds between two attempts where nothing answers: servers are to have equal views 2 s after a cable is back. The
 * next SYN that gets through comes within 1 s then; with 500 it took up to 1.4 s.
 */
const RETRY = 250;
/** Where NATS answers, and refuses, an eighth of the time without a link: an operator must act, and NATS logs each attempt. */
const REFUSED_MAX = 5_000;
/** Milliseconds until a server accepts: the second SYN goes out after 1 s, and has 250 ms. */
const ACCEPT_TIMEOUT = 1_250;
/** Milliseconds until one that has accepted can be used. */
const ANSWER_TIMEOUT = 1_250;
/** Of one to a server that accepted and was then too slow: TLS over a long way, or paused. */
const SLOW_TIMEOUT = 10_000;
const CLOSE_TIMEOUT = 1_000;
/** Until the first server has said what it allows; NATS's own default. */
const DEFAULT_MAX_PAYLOAD = 1_048_576;

export interface NatsCarrierOptions {
  readonly nats: NatsOptions;
  readonly cluster: string;
  /** Name of this server, for the lists of connections in NATS. */
  readonly node: string;
  /** Takes what other NATS clients ask, send and publish; `undefined`: nothing does. */
  readonly outside?: Pick<Outside, "handle"> | undefined;
}

export class NatsCarrier implements Carrier {
  maxBytes = DEFAULT_MAX_PAYLOAD;
  readonly #options: NatsCarrierOptions;
  readonly #subjects: Subjects;
  readonly #limit = new EventLimit();
  #client: NatsClient | undefined = undefined;
  #handlers: CarrierHandlers | undefined = undefined;
  #inbox = "";
  /** It hears. */
  #link: NatsLink | undefined = undefined;
  #server = "";
  #next = 0;
  /** By URL: milliseconds that the server has to answer, where it is not the usual. */
  readonly #timeouts = new Map<string, number>();
  #ups = 0;
  #downSince = 0;
  #timer: TimerRef = undefined;
  #closed = false;

  constructor(options: NatsCarrierOptions) {
    this.#options = options;
    this.#subjects = new Subjects(options.cluster);
  }

  get backlog(): number {
    return this.#link?.backlog ?? 0;
  }

  get status(): CarrierStatus {
    const up = this.#link !== undefined;
    return {
      ...{ name: "NATS", up, server: up ? this.#server : undefined },
      roundTrip: this.#link?.roundTrip,
      reconnects: Math.max(0, this.#ups - 1),
    };
  }

  /** Rejects when the client cannot be loaded. */
  async open(inbox: string, handlers: CarrierHandlers): Promise<void> {
    this.#inbox = inbox;
    this.#handlers = handlers;
    this.#client = await loadClient(this.#options.nats.client);
    this.#downSince = clock.now();
    void this.#attempt();
  }

  send(inbox: string, bytes: Buffer): boolean {
    return this.#link?.send(inbox, bytes) ?? false;
  }

  probe(inbox: string, bytes: Buffer): boolean {
    return this.#link?.probe(inbox, bytes) ?? false;
  }

  toAll(bytes: Buffer): boolean {
    return this.#link?.toAll(bytes) ?? false;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clock.clearTimeout(this.#timer);
    const link = this.#link;
    if (!link) return;
    let timer: TimerRef;
    const late = new Promise<void>((resolve) => {
      timer = clock.setTimeout(resolve, CLOSE_TIMEOUT);
    });
    await Promise.race([link.flush(), late]);
    clock.clearTimeout(timer);
    link.end(undefined);
  }

  // -- attempts -------------------------------------------------------------------------------------------

  /** Never rejects. */
  async #attempt(): Promise<void> {
    const { nats, cluster, node } = this.#options;
    const url = nats.servers[this.#next++ % nats.servers.length] as string;
    let link: NatsLink | undefined;
    try {
      const name = `drover ${cluster} ${node}`;
      const times = { accept: ACCEPT_TIMEOUT, answer: this.#timeouts.get(url) ?? ANSWER_TIMEOUT };
      const connection = await connectOnce(this.#client as NatsClient, nats, url, name, times);
      link = this.#newLink(connection, url);
      await link.start();
      this.#serveOutside(link);
      this.#up(link, url);
      this.#timeouts.delete(url);
    } catch (error) {
      if (error instanceof SlowServerError)
        this.#timeouts.set(url, Math.min(SLOW_TIMEOUT, 2 * (this.#timeouts.get(url) ?? ANSWER_TIMEOUT)));
      const trouble = troubleEvent(error, url, this.#prefix);
      this.#report(trouble);
      link?.end(error);
      const down = clock.now() - this.#downSince;
      const refused = Math.min(REFUSED_MAX, Math.max(RETRY, down / 8));
      this.#again(trouble.event === "nats_unreachable" ? RETRY : refused);
    }
  }

  #newLink(connection: ConstructorParameters<typeof NatsLink>[0], url: string): NatsLink {
    const handlers = this.#handlers as CarrierHandlers;
    const link: NatsLink = new NatsLink(connection, this.#inbox, this.#subjects, {
      onBytes: (bytes) => {
        if (!this.#closed) handlers.onBytes(bytes);
      },
      onNoResponder: (inbox) => {
        if (!this.#closed) handlers.onNoResponder(inbox);
      },
      onWritable: () => handlers.onWritable(),
      onTrouble: (error) => this.#report(troubleEvent(error, url, this.#prefix)),
      onFailure: (error) => this.#failed(error),
      onEnd: (error) => this.#lost(link, error),
    });
    return link;
  }

  #serveOutside(link: NatsLink): void {
    const { outside } = this.#options;
    if (!outside) return;
    for (const kind of OUTSIDE_KINDS) {
      const prefix = this.#subjects.outside(kind);
      link.serve(`${prefix}>`, (message) =>
        outside.handle(kind, prefix, outsideMessage(this.#client as NatsClient, message)),
      );
    }
  }

  #up(link: NatsLink, url: string): void {
    if (this.#closed) return link.end(undefined);
    this.#link = link;
    this.#server = url;
    this.#ups++;
    this.maxBytes = link.maxBytes || DEFAULT_MAX_PAYLOAD;
    this.#report({ level: "info", event: "nats_up", text: `NATS ${url} is connected` });
    this.#tell((handlers) => handlers.onState("up", url));
    this.#tell((handlers) => handlers.onWritable());
  }

  #lost(link: NatsLink, error: unknown): void {
    // An attempt that failed: it goes on by itself.
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#downSince = clock.now();
    if (this.#closed) return;
    const why = `${this.#server}: ${reasonOf(error)}`;
    this.#report({
      level: "warn",
      event: "nats_down",
      text: `NATS is lost: ${why}; this server goes on alone`,
    });
    this.#tell((handlers) => handlers.onState("down", why));
    this.#again(this.#options.nats.servers.length > 1 ? 0 : RETRY);
  }

  /** @param ms changed by up to a quarter: not all servers at the same moment */
  #again(ms: number): void {
    if (this.#closed) return;
    this.#timer = clock.setTimeout(() => void this.#attempt(), ms * (0.75 + Math.random() / 2));
  }

  // -- the owner ------------------------------------------------------------------------------------------

  get #prefix(): string {
    return `drover.${this.#options.cluster}`;
  }

  #report(event: CarrierEvent): void {
    if (!this.#closed && this.#limit.allows(event)) this.#tell((handlers) => handlers.onEvent(event));
  }

  /** What the owner throws must not end an attempt. */
  #tell(call: (handlers: CarrierHandlers) => void): void {
    try {
      call(this.#handlers as CarrierHandlers);
    } catch (error) {
      process.emitWarning(error as Error);
    }
  }

  #failed(error: unknown): void {
    const { stack = String(error) } = error as Error;
    this.#report({ level: "error", event: "exchange_failure", text: `a message was passed over: ${stack}` });
  }
}
