/** Hub of names: claims, and asks on their way to the holder and back. M is what messages are here, as in `hub.ts`. */
import { type AskCode, AskTable } from "./ask-table.js";
import type { PidPair } from "./hub.js";
import type { NamePort } from "./name-row.js";
import { NameTable, type NameTableOptions } from "./name-table.js";
import type { NamePeer } from "./peer-names.js";

/** A request on its way to the process that holds the name. */
export interface HubRequest<M> {
  /** Under which the answer is expected; 0: none is. */
  readonly id: number;
  /** Milliseconds. */
  readonly within: number;
  readonly from: PidPair;
  readonly serial: number;
  readonly body: M;
}

/** An OS process, or another server, that asks and is asked. */
export interface AskPort<M> {
  /** @returns false when there is no room */
  request(name: string, request: HubRequest<M>): boolean;
  /** @param body the answer, or in words why there is none */
  answered(id: number, code: AskCode, body: M | string): void;
}

export interface NameHubPort<M> extends NamePort, AskPort<M> {}

/** Another server, whose processes hold names. */
export interface NameHubPeer<M> extends NamePeer, AskPort<M> {}

/** A request of which the hub does not know the holder yet. */
export type Asked<M> = Omit<HubRequest<M>, "id" | "serial">;

export class NameHub<M> {
  readonly names: NameTable<NameHubPort<M>, NameHubPeer<M>>;
  readonly #asks = new AskTable<AskPort<M>>();
  readonly #copy: (message: M) => M;

  /** @param copy of a message that must outlive the call of `ask` */
  constructor(
    options: NameTableOptions<NameHubPeer<M>> = {},
    copy: (message: M) => M = (message) => message,
  ) {
    this.names = new NameTable(options);
    this.#copy = copy;
  }

  /** @param id 0: no answer is expected */
  ask(origin: AskPort<M>, id: number, name: string, request: Asked<M>): void {
    const peer = this.names.peerHolder(name);
    if (!peer || this.names.pends(name)) return this.askHere(origin, id, name, request);
    // The other server has the serial of the holder.
    if (!this.#ask(peer.peer, 0, origin, id, name, request) && id !== 0)
      origin.answered(id, "busy", `too much waits for the server ${peer.peer.node}`);
  }

  /** Asks where the name is held by a process of this server. */
  askHere(origin: AskPort<M>, id: number, name: string, request: Asked<M>): void {
    if (this.names.changesHands(name)) return this.#askLater(origin, id, name, request);
    const holder = this.names.holder(name);
    const fail = (code: AskCode, why: string) => {
      if (id !== 0) origin.answered(id, code, why);
    };
    if (!holder) return fail("nobody", `no process holds the name ${name}`);
    if (!this.#ask(holder.port, holder.serial, origin, id, name, request))
      fail("busy", `the worker of ${name} does not read`);
  }

  #ask(
    to: AskPort<M>,
    serial: number,
    origin: AskPort<M>,
    id: number,
    name: string,
    request: Asked<M>,
  ): boolean {
    const hubId = id === 0 ? 0 : this.#asks.add(origin, id, to, request.within);
    if (to.request(name, { ...request, id: hubId, serial })) return true;
    this.#asks.take(hubId, to);
    return false;
  }

  /** The claim of a process here waits until the holder has let go: what is asked meanwhile is asked then. */
  #askLater(origin: AskPort<M>, id: number, name: string, request: Asked<M>): void {
    const kept = { ...request, body: this.#copy(request.body) };
    if (!this.names.afterGrant(name, () => this.askHere(origin, id, name, kept)) && id !== 0)
      origin.answered(id, "busy", `too many asks wait until ${name} is granted`);
  }

  answer(target: AskPort<M>, id: number, code: AskCode, body: M | string): void {
    const asked = this.#asks.take(id, target);
    asked?.origin.answered(asked.id, code, body);
  }

  detach(port: NameHubPort<M>): void {
    this.#failAsks(port, "ended", "the worker of the name has ended");
    this.names.detach(port);
  }

  /** A server is gone, or has started anew: what it was asked may have been handled. */
  failAsks(peer: NameHubPeer<M>, why: string): void {
    this.#failAsks(peer, "unreachable", why);
  }

  #failAsks(to: AskPort<M>, code: AskCode, why: string): void {
    for (const { origin, id } of this.#asks.detach(to)) origin.answered(id, code, why);
  }
}
