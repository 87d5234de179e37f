/** Reports a contested name with the addresses of both clients, which their workers are asked for; not those of other servers. */
import type { PidPair } from "../../groups/hub/hub.js";
import type { Contest } from "../../groups/hub/name-row.js";
import { pidFrom } from "../../otp/process/pid.js";
import { type ContestParty, namesContested } from "../../tcp/observe/events.js";
import type { WorkerProcess } from "./workers/worker-process.js";

export async function reportContest(
  { name, holder, claimant }: Contest,
  workerOf: (worker: number) => WorkerProcess | undefined,
): Promise<void> {
  const partyOf = async (pair: PidPair): Promise<ContestParty> => {
    const [worker, serial, node] = pair;
    if (node !== undefined) return { pid: String(pidFrom(pair)), peer: undefined };
    // `undefined` when the worker does not answer within a second, `null` when the process has ended.
    const facts = await workerOf(worker)?.request({ name: "inspect", serial });
    const peer = (facts as { readonly peer?: unknown } | null | undefined)?.peer;
    return { pid: String(pidFrom(pair)), peer: typeof peer === "string" ? peer : undefined };
  };
  const [one, other] = await Promise.all([partyOf(holder), partyOf(claimant)]);
  namesContested.publish({ name, holder: one, claimant: other });
}
