/**
 * Scenario: a tree of supervisors and workers, and steps. The operations of one step run without a pause; between
 * steps the tree settles.
 */
import type { RestartType } from "../../../../src/otp/supervisor/child-spec.js";
import type { AutoShutdown, Strategy } from "../../../../src/otp/supervisor/supervisor-flags.js";
import type { Reason } from "../terms.js";

export type { Reason } from "../terms.js";
export type Shutdown = "brutal_kill" | "infinity" | number;

interface Common {
  readonly id: string;
  readonly restart: RestartType;
  readonly shutdown: Shutdown;
  readonly significant: boolean;
}

/** What a worker that traps exits does when it is asked to end. */
export interface Plan {
  /** How long it takes; `infinity`: it does not heed. */
  readonly lingers: number | "infinity";
  /** The reason with which it then ends, if not the one it was asked with. */
  readonly leaves?: Reason;
}

export interface WorkerNode extends Common {
  readonly kind: "worker";
  /** `undefined`: it does not trap exits. */
  readonly plan: Plan | undefined;
  /** What becomes of its first, second, … start; then all succeed. */
  readonly starts: readonly ("ok" | "ignore" | "boom")[];
  /** How long a start takes, in milliseconds. */
  readonly slow: number;
}

interface Flags {
  readonly intensity: number;
  /** Seconds. */
  readonly period: number;
  readonly auto: AutoShutdown;
}

export interface StaticNode extends Common, Flags {
  readonly kind: "static";
  readonly strategy: Strategy;
  readonly children: readonly Node[];
}

export interface DynamicNode extends Common, Flags {
  readonly kind: "dynamic";
  readonly of_restart: RestartType;
  readonly of_shutdown: Shutdown;
  readonly of_significant: boolean;
}

export type Node = WorkerNode | StaticNode | DynamicNode;

/** Ids mean the process that was started last under them. */
export type Op =
  /** It ends by itself. */
  | { readonly op: "quit"; readonly id: string; readonly reason: Reason }
  /** An exit signal from outside. */
  | { readonly op: "signal"; readonly id: string; readonly reason: Reason }
  | { readonly op: "advance"; readonly ms: number }
  | { readonly op: "which" | "count"; readonly sup: string }
  | { readonly op: "terminate" | "restart" | "delete" | "spec"; readonly sup: string; readonly id: string }
  /** `terminate_child` with a pid. */
  | { readonly op: "finish"; readonly sup: string; readonly id: string }
  /** `start_child`, with a spec or, under a dynamic supervisor, with an argument. */
  | { readonly op: "add"; readonly sup: string; readonly child: Node }
  | { readonly op: "spawn"; readonly sup: string; readonly child: WorkerNode };

export interface Scenario {
  readonly tree: StaticNode | DynamicNode;
  readonly steps: readonly (readonly Op[])[];
}

/** The supervisor above the root, which is none. */
export const TOP = "top";
