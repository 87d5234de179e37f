/** Answers to requests of the primary: the tree, one process, views and limits. */
import { Pid, thisWorker } from "../../otp/process/pid.js";
import { processOf } from "../../otp/process/process.js";
import { exit } from "../../otp/process/signals.js";
import { outgoingSupervisor } from "../../tcp/outgoing/supervisor.js";
import { isHubRequest, isView, type WorkerRequest } from "../channel/requests.js";
import { listConnections } from "../inspect/connection-list.js";
import { processInfo } from "../inspect/process-info.js";
import { drawTree } from "../inspect/tree.js";
import type { WorkerAdmission } from "./listeners/admission.js";
import type { WorkerLimits } from "./listeners/limits.js";
import type { WorkerListener } from "./listeners/worker-listener.js";
import { memberships } from "./memberships.js";
import type { Overload } from "./overload/overload.js";
import type { WorkerViews } from "./views.js";
import type { Heartbeat } from "./watch/heartbeat.js";

/** What answers a request. */
export interface Answerers {
  /** Top supervisor, once the server has started. */
  readonly root: Pid | undefined;
  readonly listeners: readonly WorkerListener[];
  readonly views: WorkerViews;
  readonly limits: WorkerLimits;
  readonly admission: WorkerAdmission;
  readonly heartbeat: Pick<Heartbeat, "debugged">;
  readonly overload: Pick<Overload, "terms">;
  sendSnapshot(): void;
}

/** The reply to a request; `null` when there is no such process. */
export async function answerRequest(request: WorkerRequest, answerers: Answerers): Promise<unknown> {
  if (request.name === "tree") {
    const root = answerers.root && processOf(answerers.root);
    if (!root) return undefined;
    const outgoing = outgoingSupervisor();
    const trees = [root, ...(outgoing ? [outgoing] : [])];
    return Promise.all(trees.map((top) => drawTree(top, request.connections)));
  }
  if (request.name === "snapshot") {
    answerers.sendSnapshot();
    return true;
  }
  if (request.name === "debugged") {
    answerers.heartbeat.debugged = request.on;
    return true;
  }
  if (request.name === "connections" || request.name === "addresses") {
    const supervisors = answerers.listeners.flatMap(({ connections }) => connections ?? []);
    const endpoints = answerers.listeners.map(({ endpoint }) => endpoint);
    if (request.name === "connections")
      return listConnections(supervisors, request.query, memberships, endpoints);
    return (await import("../inspect/address-list.js")).listAddresses(supervisors, request.query);
  }
  // Loaded at the first one: a server without groups has none of it.
  if (isHubRequest(request)) return (await import("./hub-requests.js")).answerHubRequest(request);
  if (isView(request)) return answerers.views.answer(request);
  if (request.name === "overload") {
    answerers.overload.terms = request.terms;
    return true;
  }
  if (request.name === "admission") return answerers.admission.answer(request);
  if (!("serial" in request)) return answerers.limits.answer(request);
  const process = processOf(new Pid(thisWorker(), request.serial));
  if (request.name === "inspect") return process ? processInfo(process) : null;
  if (process) exit(process.pid, request.reason);
  return process !== undefined;
}
