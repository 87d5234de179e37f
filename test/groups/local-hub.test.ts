/** The hub of one OS process that gives way to the exchange: what it had not decided must not be decided twice. */
import { expect, test } from "vitest";
import type { PresenceChange } from "../../src/groups/hub/presence-table.js";
import { Delivery } from "../../src/groups/local/delivery.js";
import { LocalAsks } from "../../src/groups/local/local-asks.js";
import { LocalHub } from "../../src/groups/local/local-hub.js";
import { type LocalGroup, LocalMembers } from "../../src/groups/local/local-members.js";
import { LocalNames, type NameUplink } from "../../src/groups/local/local-names.js";
import type { PresenceView } from "../../src/groups/local/presence-view.js";
import { Process } from "../../src/otp/process/process.js";
import { manualClock } from "../support/serving.js";

class Clerk extends Process {
  get label() {
    return "clerk";
  }
  protected receive(): void {}
}

function stage() {
  const time = manualClock();
  const sent: string[] = [];
  const exchange: NameUplink = {
    claim: (id) => void sent.push(`claim ${id}`),
    release: (name) => void sent.push(`release ${name}`),
  };
  const members = new LocalMembers(() => hub);
  const delivery = new Delivery(members, () => {});
  let uplink: NameUplink = exchange;
  const names = new LocalNames(() => uplink);
  const hub = new LocalHub({ members, delivery, names, asks: new LocalAsks() });
  uplink = hub;
  const giveWay = () => {
    uplink = exchange;
    hub.close();
  };
  return { time, sent, names, members, hub, giveWay };
}

test("a claim that waits when the exchange takes over is granted by the exchange alone", async () => {
  const { time, names, giveWay } = stage();
  // The 5th replacement of a name within 10 s waits for a second.
  for (let at = 0; at < 5; at++) await names.claim(new Clerk(undefined), "stock", false, 60_000);
  const holder = names.holder("stock");
  const last = new Clerk(undefined);
  const claim = names.claim(last, "stock", false, 60_000);
  const [waiting] = [...names.pending()];
  giveWay();
  await time.advance(10_000);
  expect(names.holder("stock")).toBe(holder);
  names.claimed(waiting?.id as number, { token: Number.MAX_SAFE_INTEGER, previous: "ended" });
  expect(await claim).toEqual({ token: Number.MAX_SAFE_INTEGER, previous: "ended" });
  expect(names.holder("stock")).toBe(last);
});

test("changes of presence that were not told when the exchange takes over are told by the exchange alone", async () => {
  const { time, members, hub, giveWay } = stage();
  const [one, other] = [new Clerk(undefined), new Clerk(undefined)];
  for (const clerk of [one, other]) members.join(clerk, "office", "miss");
  const told: number[] = [];
  const view = { apply: ({ joined }: PresenceChange) => told.push(joined.length) };
  (members.get("office") as LocalGroup).presence = view as unknown as PresenceView;
  hub.introduced("office", one.pid.serial, { key: "one", info: "null" });
  await time.advance(0);
  expect(told).toEqual([1]);
  // Within 100 ms of the last event: it waits.
  hub.introduced("office", other.pid.serial, { key: "other", info: "null" });
  giveWay();
  await time.advance(10_000);
  expect(told).toEqual([1]);
});
