/** Changes of the running program that commands ask for: drain, scale, restart, limits, bans. */
import type { ConnectionList, ConnectionQuery } from "../../../control/connections.js";
import { Refusal } from "../../../control/errors.js";
import type { LimitChange, LimitRequest } from "../../../control/limits.js";
import type { ListenerState } from "../../../control/program.js";
import { logCutConnections } from "../admission/connections/cut-connections.js";
import { Drain } from "../admission/drain.js";
import { LimitChanges } from "../admission/limits/limit-changes.js";
import type { PrimaryOptions } from "../options.js";
import type { Primary } from "../primary.js";
import { RECYCLE_DEADLINE, Recycle } from "./recycle.js";
import { RestartWorker } from "./restart-worker.js";
import { Scale } from "./scale.js";

/** Most connections listed that a drain had to shut down. */
const MAX_UNFINISHED = 1_000;

export class Changes {
  readonly drain: Drain;
  readonly scale: Scale;
  readonly restart: RestartWorker;
  readonly limits: LimitChanges;
  readonly #primary: Primary;

  /** @param connections lists open connections: those that a drain has to shut down are logged */
  constructor(
    primary: Primary,
    options: PrimaryOptions,
    connections: (query: ConnectionQuery) => Promise<ConnectionList>,
  ) {
    this.#primary = primary;
    const listed = { sort: "pid", order: "asc", limit: MAX_UNFINISHED } as const;
    this.drain = new Drain({
      suspension: primary.pool.suspension,
      listeners: primary.listeners,
      slots: () => primary.pool.slots,
      list: async (listener) =>
        (await connections({ ...listed, ...(listener !== undefined && { listener }) })).rows,
      onCut: (listener, rows, cut) => {
        const of = listener === undefined ? "" : ` of listener ${listener}`;
        logCutConnections(options.log, `drain deadline${of} reached`, rows, cut);
      },
    });
    this.scale = new Scale(primary, {
      list: async (worker) => (await connections({ ...listed, worker })).rows,
      onCut: (rows, cut) => logCutConnections(options.log, "scale deadline reached", rows, cut),
    });
    this.restart = new RestartWorker(primary, {
      log: options.log,
      list: async (worker) => (await connections({ ...listed, worker })).rows,
      onCut: (rows, cut) => logCutConnections(options.log, "restart deadline reached", rows, cut),
    });
    this.limits = limitChanges(primary, options);
    const recycle = new Recycle({
      slots: () => primary.pool.slots,
      maxMemory: () => primary.pool.limits.overload.maxMemory,
      restart: (worker) => this.restart.run(worker, RECYCLE_DEADLINE),
      replaced: (worker) => options.metrics.recycled(worker),
      log: options.log,
    });
    for (const waiting of [this.drain, this.scale, this.restart, recycle])
      primary.pool.onChange.add(() => waiting.check());
  }

  resume(listener?: string): Promise<readonly ListenerState[]> {
    if (this.#primary.stopping) throw new Refusal("conflict", "the program is stopping");
    const resumed = this.#primary.pool.suspension.resume(listener);
    this.drain.end(listener);
    return resumed;
  }

  limit(request: LimitRequest, by: string): Promise<LimitChange> {
    if (this.#primary.stopping) throw new Refusal("conflict", "the program is stopping");
    return this.limits.change(request, by);
  }

  ban(address: string, ms: number): void {
    this.#primary.pool.addresses.ledger.ban(address, ms);
    this.#primary.pool.sendBans();
  }

  unban(address: string): void {
    if (!this.#primary.pool.addresses.ledger.unban(address))
      throw new Refusal("unknown", `${address} is not banned: \`drover bans\` lists the addresses that are`);
    this.#primary.pool.sendBans();
  }
}

function limitChanges({ pool, listeners }: Primary, options: PrimaryOptions): LimitChanges {
  return new LimitChanges({
    ...{ limits: pool.limits, addresses: pool.addresses, maxConnections: pool.maxConnections, listeners },
    acceptRates: pool.acceptRates,
    full: pool.full,
    slots: () => pool.slots,
    sendBans: () => pool.sendBans(),
    refreshSnapshots: () => pool.refreshSnapshots(),
    room: () => options.maxConnections(pool.slots.length),
    explain: options.explain,
  });
}
