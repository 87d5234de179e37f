/** Administration calls of a scenario, and their replies as the trace shows them. */
import { formatReason } from "../../../../src/otp/process/exit-reason.js";
import { Pid } from "../../../../src/otp/process/pid.js";
import {
  countChildren,
  deleteChild,
  getChildspec,
  restartChild,
  type StartResult,
  startChild,
  terminateChild,
  whichChildren,
} from "../../../../src/otp/supervisor/supervisor.js";
import type { Stage } from "./ours.js";
import type { Op } from "./scenario.js";

type Call = Extract<Op, { readonly sup: string }>;

export function nameOf(stage: Stage, pid: Pid | string | undefined): string {
  return pid instanceof Pid ? (stage.names.get(pid) ?? String(pid)) : String(pid);
}

export function ask(stage: Stage, sup: Pid, call: Call): Promise<string> {
  return answer(stage, sup, call).catch((thrown) => `exit ${formatReason(thrown)}`);
}

async function answer(stage: Stage, sup: Pid, call: Call): Promise<string> {
  switch (call.op) {
    case "which":
      return which(stage, sup);
    case "count": {
      const { specs, active, supervisors, workers } = await countChildren(sup);
      return `${specs} ${active} ${supervisors} ${workers} `;
    }
    case "terminate":
      return said(await terminateChild(sup, call.id));
    case "finish": {
      const pid = stage.latest(call.id);
      return pid ? said(await terminateChild(sup, pid)) : "nobody";
    }
    case "delete":
      return said(await deleteChild(sup, call.id));
    case "restart":
      return started(stage, await restartChild(sup, call.id));
    case "add":
      return started(stage, await startChild(sup, stage.spec(call.child, stage.names.get(sup) as string)));
    case "spawn":
      return started(stage, await startChild(sup, call.child));
    case "spec":
      return spec(sup, call.id);
  }
}

const said = (word: string) => (word === "ok" ? word : `error ${word}`);

function started(stage: Stage, result: StartResult): string {
  if (result === undefined || result instanceof Pid) return `ok ${nameOf(stage, result)}`;
  const { error } = result;
  if (typeof error === "object" && "already_started" in error) {
    return `error already_started ${nameOf(stage, error.already_started as Pid)}`;
  }
  return `error ${formatReason(error)}`;
}

async function which(stage: Stage, sup: Pid): Promise<string> {
  const infos = await whichChildren(sup);
  return infos.map(({ id, pid, type }) => `${id}=${nameOf(stage, pid)}/${type}`).join(" ");
}

async function spec(sup: Pid, id: string): Promise<string> {
  const found = await getChildspec(sup, id);
  if (typeof found === "string") return said(found);
  const { restart, shutdown, significant, type } = found;
  return `${restart} ${shutdown === Infinity ? "infinity" : shutdown} ${significant} ${type}`;
}
