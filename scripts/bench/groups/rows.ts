// Bytes of heap of a membership and of a name, in the tables of a worker and of the hub.
import { Hub, type HubPort } from "../../../src/groups/hub/hub.js";
import { NameTable } from "../../../src/groups/hub/name-table.js";
import { LocalMembers } from "../../../src/groups/local/local-members.js";
import { LocalNames } from "../../../src/groups/local/local-names.js";
import { addMonitor } from "../../../src/otp/process/links/monitors.js";
import { Process } from "../../../src/otp/process/process.js";

const PROCESSES = 1_000;
const GROUPS = 100;
const NAMES = 100_000;

class Idle extends Process {
  readonly label = "idle";
  protected receive(): void {}
}

async function heap(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

async function bytesEach(count: number, work: () => unknown): Promise<number> {
  const before = await heap();
  const kept = work();
  const bytes = ((await heap()) - before) / count;
  return kept ? bytes : 0;
}

export interface RowBytes {
  readonly name: string;
  readonly bytes: number;
}

export async function rowBytes(): Promise<RowBytes[]> {
  const silent = { joined: () => {}, left: () => {}, introduced: () => {} };
  const processes = Array.from({ length: PROCESSES }, () => new Idle(undefined));
  const memberships = PROCESSES * GROUPS;
  const inWorker = await bytesEach(memberships, () => {
    const members = new LocalMembers(() => silent);
    for (let at = 0; at < GROUPS; at++) for (const one of processes) members.join(one, `group ${at}`, "miss");
    return members;
  });
  const port: HubPort<Buffer> = { worker: 1, deliver: () => {} };
  const inHub = await bytesEach(memberships, () => {
    const hub = new Hub<Buffer>();
    hub.attach(port);
    for (let at = 0; at < GROUPS; at++)
      for (let serial = 1; serial <= PROCESSES; serial++) hub.join(port, `group ${at}`, serial);
    return hub;
  });
  let token = 0;
  const names = new LocalNames(() => ({ claim: () => {}, release: () => {} }));
  const owners = Array.from({ length: NAMES }, () => new Idle(undefined));
  const held = await bytesEach(NAMES, () => {
    for (const [at, owner] of owners.entries()) {
      void names.claim(owner, `device/${at}`, false, 1_000_000);
      names.claimed(at + 1, { token: ++token, previous: "none" });
    }
    return names;
  });
  // A connection has none: it leaves its names when it begins to end.
  const others = Array.from({ length: NAMES }, () => new Idle(undefined));
  const monitors = await bytesEach(NAMES, () => {
    const watcher = { receiveDown: () => {} };
    return others.map(({ pid }) => addMonitor(pid, watcher));
  });
  const table = await bytesEach(NAMES, () => {
    const rows = new NameTable<any>();
    const holder = { worker: 1, claimed: () => {}, replace: () => {} };
    for (let at = 0; at < NAMES; at++) rows.claim(holder as never, at + 1, `device/${at}`, at + 1, false);
    return rows;
  });
  return [
    { name: "membership, in the worker", bytes: inWorker },
    { name: "membership, in the exchange", bytes: inHub },
    { name: "name, in the worker, of a connection", bytes: held - monitors },
    { name: "monitor of another process that holds one", bytes: monitors },
    { name: "name, in the exchange", bytes: table },
  ];
}
