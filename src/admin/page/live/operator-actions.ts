/** Actions of the operator (kill, suspend, resume, drain, scale): the confirmation text and the request of each. */
import { MAX_WORKERS } from "../../../config/limits.js";
import type { ListenerStats } from "../../../control/stats.js";
import type { TreeNode } from "../../../control/tree.js";
import { findNode } from "../model/collapsed-tree.js";
import { count } from "../model/format.js";
import { observable } from "./observable.js";
import { stats, tree } from "./server-state.js";

/** An input in the confirmation dialog. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  /** Bounds of a whole number; without them the input is text. */
  readonly bounds?: readonly [least: number, most: number];
}

export interface Change {
  readonly title: string;
  /** Describes the effect. */
  readonly text: string;
  /** Label of the button. */
  readonly verb: string;
  /** Ends a process or connections. */
  readonly harmful: boolean;
  readonly path: string;
  readonly field?: Field;
  body(value: string): Readonly<Record<string, unknown>>;
  /** Message after success. */
  readonly done: string;
}

/** The action that waits for confirmation. */
export const asked = observable<Change | undefined>(undefined);
/** Result message of the last action. */
export const notice = observable<string | undefined>(undefined);

export function killing(node: Pick<TreeNode, "pid" | "name" | "kind" | "detail">): Change {
  const { pid, name } = node;
  return {
    title: `Kill ${name} ${pid}?`,
    text: consequence(node),
    verb: "Kill",
    harmful: true,
    path: "/kill",
    field: { name: "reason", label: "Exit reason", value: "kill" },
    body: (reason) => ({ pid, reason: reason || "kill" }),
    done: `Exit signal sent to ${name} ${pid}`,
  };
}

function consequence({ kind, pid }: Pick<TreeNode, "pid" | "kind">): string {
  const left = stats.get()?.restartsLeft;
  const budget = left === undefined ? "" : ` Restarts left: ${count(left)}.`;
  switch (kind) {
    case "connection":
      return "Its socket is closed at once and unsent data is lost. It is not restarted.";
    case "worker": {
      const worker = Number(/\d+/.exec(pid)?.[0]);
      const active = stats.get()?.workers.find((one) => one.worker === worker)?.active ?? 0;
      return `The OS process ends with its ${count(active)} connections. The supervisor starts another worker, which counts as a restart.${budget}`;
    }
    case "listener":
      return "This worker accepts no connections until the supervisor has restarted the listener, which counts as a restart. Connections stay.";
    case "admin":
      return "This page gets no data until the supervisor has restarted the admin server, which counts as a restart.";
    default:
      return "All processes below it end too. Its supervisor restarts it, which counts as a restart, or ends as well.";
  }
}

export function suspending(listener?: string): Change {
  return {
    title: listener === undefined ? "Suspend all listeners?" : `Suspend the listener ${listener}?`,
    text: "All workers stop accepting. Existing connections stay; new connections wait in the backlog until you resume.",
    verb: "Suspend",
    harmful: false,
    path: "/suspend",
    body: () => ({ listener }),
    done: "Accepting is suspended",
  };
}

export function resuming(listener?: string): Change {
  return {
    title: listener === undefined ? "Resume all listeners?" : `Resume the listener ${listener}?`,
    text: "All workers accept again, beginning with the connections in the backlog.",
    verb: "Resume",
    harmful: false,
    path: "/resume",
    body: () => ({ listener }),
    done: "Accepting is resumed",
  };
}

/** @param one the listener to drain; missing: all of them */
export function draining(one?: Pick<ListenerStats, "listener" | "active">): Change {
  const active = one?.active ?? stats.get()?.totals.active ?? 0;
  const what = one ? `the listener ${one.listener}` : "the server";
  return {
    title: `Drain ${what}?`,
    text: `All workers stop accepting. The ${count(active)} open connections may finish; those still open at the deadline are told to stop.`,
    verb: "Drain",
    harmful: true,
    path: "/drain",
    field: { name: "seconds", label: "Deadline in seconds", value: "25", bounds: [0, 86_400] },
    // A missing listener is left out of the JSON.
    body: (seconds) => ({ deadlineMs: Number(seconds) * 1000, listener: one?.listener }),
    done: `Draining ${what}`,
  };
}

export function scaling(): Change {
  const workers = stats.get()?.workers.length ?? 1;
  return {
    title: "Change the number of workers?",
    text: "Missing workers are started. Surplus workers stop accepting and exit once their connections have closed.",
    verb: "Scale",
    harmful: false,
    path: "/scale",
    field: { name: "workers", label: "Workers", value: String(workers), bounds: [1, MAX_WORKERS] },
    body: (value) => ({ workers: Number(value) }),
    done: "The number of workers is changing",
  };
}

/** The process in the latest tree. */
export function nodeOf(pid: string): TreeNode | undefined {
  const root = tree.get();
  return root && findNode(root, pid);
}
