/** The hub in this OS process: with one worker, and in `serve()`. */
import { type Pid, thisWorker } from "../../otp/process/pid.js";
import { groupCounters } from "../../tcp/observe/group-counters.js";
import type { AskCode } from "../hub/ask-table.js";
import { Hub, type HubPort, NONE, type PidPair } from "../hub/hub.js";
import { answerQuery, type HubAnswers, type HubQuery } from "../hub/hub-queries.js";
import { type HubRequest, NameHub, type NameHubPort } from "../hub/name-hub.js";
import type { ClaimResult } from "../hub/name-row.js";
import type { PresenceChange } from "../hub/presence-table.js";
import type { Message } from "../message.js";
import { reportContest } from "./contest-report.js";
import type { Delivery } from "./delivery.js";
import { takeRequest } from "./incoming-requests.js";
import type { LocalAsks } from "./local-asks.js";
import type { LocalMembers } from "./local-members.js";
import type { LocalNames } from "./local-names.js";
import type { Introduction } from "./presence-view.js";
import { DROP_ABOVE, type Uplink } from "./uplink.js";

/** The tables of this OS process. */
export interface LocalTables {
  readonly members: LocalMembers;
  readonly delivery: Delivery;
  readonly names: LocalNames;
  readonly asks: LocalAsks;
}

export class LocalHub implements Uplink, HubPort<Message>, NameHubPort<Message> {
  readonly #hub = new Hub<Message>();
  readonly #names = new NameHub<Message>({ onContested: reportContest });
  readonly #local: LocalTables;
  #contested = 0;

  constructor(local: LocalTables) {
    this.#local = local;
    this.#hub.attach(this);
  }

  get worker(): number {
    return thisWorker();
  }

  readonly linkBytes = 0;

  get waiting(): number {
    return this.#local.delivery.waiting;
  }

  // -- from this OS process to the hub --------------------------------------------------------------------

  joined(group: string, serial: number): void {
    this.#hub.join(this, group, serial);
  }

  introduced(group: string, serial: number, { key, info }: Introduction): void {
    this.#hub.introduce(this, group, serial, key, info);
  }

  left(group: string, serial: number): void {
    this.#hub.leave(this, group, serial);
  }

  publish(group: string, message: Message, except: Pid | undefined): void {
    if (this.waiting > DROP_ABOVE) groupCounters.dropped.link_full += this.#hub.count(group);
    else this.#hub.publish(group, message, except ? [except.worker, except.serial] : NONE);
  }

  claim(id: number, name: string, serial: number, refuse: boolean): void {
    this.#names.names.claim(this, id, name, serial, refuse);
    this.#countContested();
  }

  release(name: string, serial: number): void {
    this.#names.names.release(this, name, serial);
    this.#countContested();
  }

  #countContested(): void {
    const { contested } = this.#names.names;
    groupCounters.namesContested += contested - this.#contested;
    this.#contested = contested;
  }

  ask(id: number, name: string, body: Message, within: number, from: PidPair): void {
    this.#names.ask(this, id, name, { body, within, from });
  }

  async query<Q extends HubQuery>(query: Q): Promise<HubAnswers[Q["ask"]]> {
    return answerQuery(this.#hub, this.#names, query) as HubAnswers[Q["ask"]];
  }

  /**
   * The exchange decides from now on. Claims that wait and changes of presence that were not told have timers here, and
   * would be granted or told a second time. Requests that are under way are answered as before.
   */
  close(): void {
    this.#hub.detach(this);
    this.#names.names.detach(this);
  }

  // -- from the hub to this OS process --------------------------------------------------------------------

  deliver(group: string, message: Message, [worker, except]: PidPair): void {
    this.#local.delivery.add(group, message, worker === this.worker ? except : 0);
  }

  presence(group: string, change: PresenceChange): boolean {
    this.#local.members.get(group)?.presence?.apply(change);
    return true;
  }

  claimed(id: number, result: ClaimResult): void {
    this.#local.names.claimed(id, result);
  }

  replace(name: string, serial: number): void {
    this.#local.names.replace(name, serial);
  }

  request(name: string, request: HubRequest<Message>): boolean {
    takeRequest(this.#local.names, name, request, (code, body) =>
      this.#names.answer(this, request.id, code, body),
    );
    return true;
  }

  answered(id: number, code: AskCode, body: Message | string): void {
    this.#local.asks.answered(id, code, body);
  }
}
