/** Outgoing connections of one worker slot, by protocol, over all OS processes that ran in it. */
import { CONNECT_RESULTS, type ConnectResult, type OutgoingCounts } from "../../tcp/observe/events.js";
import { SettledCounters } from "./settled-counters.js";

class ProtocolTotals {
  active = 0;
  readonly connects = new SettledCounters<ConnectResult>(CONNECT_RESULTS);
}

export class OutgoingTotals {
  readonly #byProtocol = new Map<string, ProtocolTotals>();

  update(counts: readonly OutgoingCounts[]): void {
    for (const { protocol, active, connects } of counts) {
      const totals = this.#byProtocol.get(protocol) ?? new ProtocolTotals();
      this.#byProtocol.set(protocol, totals);
      if (totals.connects.decreased(connects)) totals.connects.settle();
      totals.connects.update(connects);
      totals.active = active;
    }
  }

  /** The OS process has exited. */
  settle(): void {
    for (const totals of this.#byProtocol.values()) {
      totals.connects.settle();
      totals.active = 0;
    }
  }

  active(): [protocol: string, active: number][] {
    return [...this.#byProtocol].map(([protocol, { active }]) => [protocol, active]);
  }

  connects(): [protocol: string, result: ConnectResult, count: number][] {
    return [...this.#byProtocol].flatMap(([protocol, { connects }]) =>
      CONNECT_RESULTS.map((result): [string, ConnectResult, number] => [
        protocol,
        result,
        connects.value(result),
      ]),
    );
  }
}
