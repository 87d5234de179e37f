/** One process of the program by its pid, in whatever OS process it is: its facts, and exit signals to it. */
import { WorkerSilent } from "../../../control/errors.js";
import { parsePid } from "../../../otp/process/pid.js";
import { processOf } from "../../../otp/process/process.js";
import { exit } from "../../../otp/process/signals.js";
import { addressText } from "../../../text/address.js";
import type { Served } from "../../channel/messages.js";
import type { WorkerRequest } from "../../channel/requests.js";
import { processInfo } from "../../inspect/process-info.js";
import type { Primary } from "../primary.js";
import { WorkerProcess } from "../workers/worker-process.js";

export class Processes {
  readonly #primary: Primary;

  constructor(primary: Primary) {
    this.#primary = primary;
  }

  async inspect(text: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const pid = parsePid(text);
    const worker = pid && this.#primary.pool.slots[pid.worker - 1]?.process;
    if (!pid) return undefined;
    if (pid.worker > 0 && pid.serial > 1) {
      const answer = worker && (await this.#ask(worker, { name: "inspect", serial: pid.serial }));
      return (answer as Record<string, unknown> | null | undefined) ?? undefined;
    }
    const found = pid.worker === 0 ? processOf(pid) : worker;
    if (!found?.alive) return undefined;
    if (!(found instanceof WorkerProcess)) return processInfo(found);
    const { osPid, state, uptimeMs, serving = [] } = found;
    const facts = { ...processInfo(found), osPid, state, uptimeSeconds: Math.round(uptimeMs / 1000) };
    return { ...facts, ...servedFacts(serving) };
  }

  async kill(text: string, reason: string): Promise<boolean> {
    const pid = parsePid(text);
    if (!pid) return false;
    const worker = this.#primary.pool.slots[pid.worker - 1]?.process;
    if (pid.worker > 0 && pid.serial > 1) {
      return worker
        ? (await this.#ask(worker, { name: "kill", serial: pid.serial, reason })) === true
        : false;
    }
    const found = pid.worker === 0 ? processOf(pid) : worker;
    if (!found?.alive) return false;
    exit(found.pid, reason);
    return true;
  }

  async #ask(worker: WorkerProcess, request: WorkerRequest): Promise<unknown> {
    if (!worker.serving || !worker.alive) return null;
    const answer = await worker.request(request);
    if (answer === undefined) throw new WorkerSilent(worker.slot);
    return answer;
  }
}

/** Of the only listener its address and transport; of several a line each. */
function servedFacts(serving: readonly Served[]): Record<string, unknown> {
  const [only, ...more] = serving;
  if (only !== undefined && more.length === 0) {
    const { address, port, transport } = only;
    return { address, port, transport };
  }
  return Object.fromEntries(
    serving.map(({ listener, address, port, transport }) => [
      `listener ${listener}`,
      `${addressText(address, port)} ${transport}`,
    ]),
  );
}
