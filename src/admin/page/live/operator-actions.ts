/** Changes that an operator may ask for: what each one says before it is done, and what it sends. */
import { MAX_WORKERS } from "../../../config/limits.js";
import type { TreeNode } from "../../../control/tree.js";
import { findNode } from "../model/collapsed-tree.js";
import { count } from "../model/format.js";
import { cell } from "./observable.js";
import { stats, tree } from "./server-state.js";

/** Something to be filled in before. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  /** Of a whole number: its bounds. Without them it is a text. */
  readonly bounds?: readonly [least: number, most: number];
}

export interface Change {
  readonly title: string;
  /** What will happen. */
  readonly text: string;
  /** On the button that does it. */
  readonly verb: string;
  /** Something ends by it. */
  readonly harmful: boolean;
  readonly path: string;
  readonly field?: Field;
  body(value: string): Readonly<Record<string, unknown>>;
  /** Said afterwards. */
  readonly done: string;
}

/** The one that waits to be confirmed. */
export const asked = cell<Change | undefined>(undefined);
/** The last thing that was done, for everybody to hear. */
export const notice = cell<string | undefined>(undefined);

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
    done: `An exit signal was sent to ${name} ${pid}.`,
  };
}

function consequence({ kind, pid }: Pick<TreeNode, "pid" | "kind">): string {
  const left = stats.get()?.restartsLeft;
  const budget = left === undefined ? "" : ` ${count(left)} restarts are left.`;
  switch (kind) {
    case "connection":
      return "Its socket is closed at once. What still waits to be sent is lost, and nobody takes its place.";
    case "worker": {
      const worker = Number(/\d+/.exec(pid)?.[0]);
      const active = stats.get()?.workers.find((one) => one.worker === worker)?.active ?? 0;
      return `The OS process and its ${count(active)} connections end. Another worker starts in its place, which counts as a restart.${budget}`;
    }
    case "listener":
      return "Nobody is accepted until its supervisor has started it again, which counts as a restart. Connections stay.";
    case "admin":
      return "This page loses its server until the supervisor has started it again, which counts as a restart.";
    default:
      return "Everything below it ends with it. What is above starts it again, which counts as a restart, or ends too.";
  }
}

export function suspending(listener?: string): Change {
  return {
    title: listener === undefined ? "Stop accepting?" : `Suspend the listener ${listener}?`,
    text: "No new client is accepted, in any worker. Who is connected stays, who comes waits in the kernel's queue until it is resumed.",
    verb: "Suspend",
    harmful: false,
    path: "/suspend",
    body: () => (listener === undefined ? {} : { listener }),
    done: "No new clients are accepted.",
  };
}

export function resuming(listener?: string): Change {
  return {
    title: listener === undefined ? "Accept again?" : `Resume the listener ${listener}?`,
    text: "New clients are accepted again, beginning with those that wait.",
    verb: "Resume",
    harmful: false,
    path: "/resume",
    body: () => (listener === undefined ? {} : { listener }),
    done: "New clients are accepted again.",
  };
}

export function draining(): Change {
  const active = stats.get()?.totals.active ?? 0;
  return {
    title: "Drain the server?",
    text: `No new client is accepted. The ${count(active)} connections that are here may finish; those that have not by the deadline are told to stop.`,
    verb: "Drain",
    harmful: true,
    path: "/drain",
    field: { name: "seconds", label: "Deadline in seconds", value: "25", bounds: [0, 86_400] },
    body: (seconds) => ({ deadlineMs: Number(seconds) * 1000 }),
    done: "The server is draining.",
  };
}

export function scaling(): Change {
  const workers = stats.get()?.workers.length ?? 1;
  return {
    title: "How many workers?",
    text: "Workers that are missing are started. Those that are too many stop accepting and end when their connections have.",
    verb: "Scale",
    harmful: false,
    path: "/scale",
    field: { name: "workers", label: "Workers", value: String(workers), bounds: [1, MAX_WORKERS] },
    body: (value) => ({ workers: Number(value) }),
    done: "The number of workers is changing.",
  };
}

/** The process as the tree last had it. */
export function nodeOf(pid: string): TreeNode | undefined {
  const root = tree.get();
  return root && findNode(root, pid);
}
