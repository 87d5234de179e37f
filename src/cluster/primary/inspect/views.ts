/** Views of the whole program, gathered from the workers. A worker that does not answer within a second is left out. */

import type {
  AddressList,
  AddressQuery,
  ConnectionList,
  ConnectionQuery,
} from "../../../control/connections.js";
import { WorkerSilent } from "../../../control/errors.js";
import type { EventFilter, LogRecord } from "../../../control/program.js";
import type { Stats } from "../../../control/stats.js";
import type { TraceLine } from "../../../control/trace.js";
import type { StateView } from "../../../control/tree.js";
import { type Pid, parsePid } from "../../../otp/process/pid.js";
import { type Process, processOf } from "../../../otp/process/process.js";
import { wallTime } from "../../../otp/time/clock.js";
import type { LineLevel } from "../../../telemetry/log/levels.js";
import type { ToPrimary } from "../../channel/messages.js";
import type { WorkerRequest } from "../../channel/requests.js";
import { mergeAddresses } from "../../inspect/address-list.js";
import { mergeLists } from "../../inspect/connection-list.js";
import { stateView } from "../../inspect/state-text.js";
import type { Observer, PrimaryOptions } from "../options.js";
import type { Primary } from "../primary.js";
import type { WorkerProcess, WorkerState } from "../workers/worker-process.js";
import { overloadOf, shownState } from "../workers/worker-slot.js";
import { acceptQueues } from "./accept-queues.js";
import { listenerStats } from "./listener-info.js";
import { LogRecords } from "./log-records.js";
import { Traces } from "./traces.js";

export class Views implements Observer {
  readonly #primary: Primary;
  readonly #options: PrimaryOptions;
  readonly #logRecords: LogRecords;
  readonly #traces = new Traces();

  constructor(primary: Primary, options: PrimaryOptions) {
    this.#primary = primary;
    this.#options = options;
    this.#logRecords = new LogRecords(options.log, (level) => {
      for (const { process } of primary.pool.slots) process?.notify({ t: "follow", d: level });
    });
    primary.pool.observer = this;
  }

  // -- what workers send --------------------------------------------------------------------------------

  /** Read when a worker starts; running workers get a message. */
  get followLevel(): LineLevel {
    return this.#logRecords.level;
  }

  onDiagnostics(_worker: WorkerProcess, message: Extract<ToPrimary, { t: "record" | "trace" }>): void {
    if (message.t === "record") this.#logRecords.addLine(message.d);
    else this.#traces.received(message.id, message.d);
  }

  onState(worker: WorkerProcess, state: WorkerState): void {
    if (state === "down") this.#traces.workerEnded(worker);
    const { slot, osPid } = worker;
    const time = new Date(wallTime()).toISOString();
    const msg = `worker ${slot} ${state}, OS process ${osPid}`;
    this.#logRecords.add({ level: "info", time, worker: slot, osPid, event: "worker", state, msg });
  }

  // -- requests ------------------------------------------------------------------------------------------

  async connections(query: ConnectionQuery): Promise<ConnectionList> {
    const [lists, missing] = await this.#lists<ConnectionList>({ name: "connections", query });
    return mergeLists(lists, query, missing);
  }

  async addresses(query: AddressQuery): Promise<AddressList> {
    const [lists, missing] = await this.#lists<AddressList>({ name: "addresses", query });
    return mergeAddresses(lists, query, missing);
  }

  /** Lists of the workers that are asked for, and the workers that did not answer. */
  async #lists<List>(
    request: Extract<WorkerRequest, { name: "connections" | "addresses" }>,
  ): Promise<readonly [lists: readonly List[], missing: readonly number[]]> {
    const { worker } = request.query;
    const asked = this.#primary.pool.slots.filter(({ slot, process }) => {
      return process?.serving && process.alive && (worker ?? slot) === slot;
    });
    const answers = await Promise.all(
      asked.map(({ process }) => (process as WorkerProcess).request(request) as Promise<List | undefined>),
    );
    const missing = asked.flatMap(({ slot }, at) => (answers[at] === undefined ? [slot] : []));
    return [answers.filter((answer) => answer !== undefined), missing];
  }

  async state(text: string): Promise<StateView | undefined> {
    const found = this.#find(text);
    if (!found) return undefined;
    if (found.process) return stateView(found.process);
    const answer = await found.worker.request({ name: "state", serial: found.pid.serial });
    if (answer === undefined) throw new WorkerSilent(found.pid.worker);
    return (answer as StateView | null) ?? undefined;
  }

  async trace(text: string, signal: AbortSignal, onLine: (line: TraceLine) => void): Promise<boolean> {
    const found = this.#find(text);
    if (!found) return false;
    if (!found.process) return this.#traces.startRemote(found.worker, found.pid, signal, onLine);
    this.#traces.startLocal(found.process, signal, onLine);
    return true;
  }

  /** A process of the primary (each worker is one as well), or the worker in which a process lives. */
  #find(
    text: string,
  ): { process: Process } | { process?: never; worker: WorkerProcess; pid: Pid } | undefined {
    const pid = parsePid(text);
    if (!pid) return undefined;
    const worker = this.#primary.pool.slots[pid.worker - 1]?.process;
    if (pid.worker > 0 && pid.serial > 1) {
      return worker?.serving && worker.alive ? { worker, pid } : undefined;
    }
    const process = pid.worker === 0 ? processOf(pid) : worker;
    return process?.alive ? { process } : undefined;
  }

  follow(signal: AbortSignal, onRecord: (record: LogRecord) => void): void {
    this.#logRecords.follow(signal, onRecord);
  }

  events(filter: EventFilter): readonly LogRecord[] {
    return this.#logRecords.events(filter);
  }

  followEvents(filter: EventFilter, signal: AbortSignal, onRecord: (record: LogRecord) => void): void {
    this.#logRecords.followEvents(filter, signal, onRecord);
  }

  stats(status: Stats["status"]): Stats {
    const { metrics } = this.#options;
    const queues = acceptQueues(this.#primary.listeners);
    const workers = this.#primary.pool.slots.map((one) => ({
      worker: one.slot,
      osPid: one.process?.osPid ?? 0,
      state: shownState(one),
      overload: overloadOf(one),
      restarts: one.restarts,
      ...metrics.numbers(one.slot),
    }));
    return {
      at: wallTime(),
      workers,
      listeners: this.#primary.listeners.map((one) =>
        listenerStats(one, metrics.listenerNumbers(one.at), queues),
      ),
      totals: metrics.totals(),
      ...metrics.reasons(),
      acceptQueueOverflows: queues.overflows ?? null,
      restartsLeft: this.#primary.root?.restartsLeft ?? 0,
      status,
    };
  }
}
