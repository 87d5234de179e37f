/**
 * The groups of this OS process: its members, the delivery to them, and the uplink to the hub. One of each, made when
 * this module is loaded, which costs nothing until a process joins.
 */
import { Delivery } from "./delivery.js";
import { letSendersGo } from "./held-senders.js";
import { LocalAsks } from "./local-asks.js";
import { LocalHub } from "./local-hub.js";
import { LocalMembers } from "./local-members.js";
import { LocalNames } from "./local-names.js";
import { LET_GO_AT, type Uplink } from "./uplink.js";

export const localMembers = new LocalMembers(() => uplink);
export const delivery = new Delivery(localMembers, releaseSenders);

export const localNames = new LocalNames(() => uplink);
export const localAsks = new LocalAsks();

/** The way to the hub. */
export let uplink: Uplink = new LocalHub({
  members: localMembers,
  delivery,
  names: localNames,
  asks: localAsks,
});

/** Replaces the hub in this OS process by the exchange. The members here are made known to it by the caller. */
export function useUplink(next: Uplink): void {
  uplink.close();
  uplink = next;
}

/** Less waits than before: lets go of the connections that were held for it. */
export function releaseSenders(): void {
  uplink.relieved?.();
  if (uplink.waiting <= LET_GO_AT) letSendersGo();
}
