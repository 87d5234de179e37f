/** What `sys` can ask of every process, with the defaults for behaviours that do not override it. */
import type { SystemEvent } from "../events.js";
import { ProcessFlags } from "../process/flags.js";
import type { SystemMessage } from "./system-message.js";

/** The system message handler as the process sees it; see `SystemMessageHandler`. */
export interface SystemHandler {
  readonly suspended: boolean;
  /** Messages and replies in the event log (`sys.log`), oldest first. */
  readonly loggedEvents: readonly SystemEvent[];
  /** Takes a system message: into the mailbox, or to be handled at once while suspended. */
  submit(message: SystemMessage): void;
  /** Handles a system message, and records any other. @returns whether the process must handle the message */
  filter(message: unknown): boolean;
  /** Records a reply of the process. */
  replied(value: unknown): void;
}

export abstract class InspectableProcess extends ProcessFlags {
  /** @internal Allocated by the first system message, and removed when it has nothing left to do. */
  sys: SystemHandler | undefined = undefined;

  /** The name in trees and reports. */
  abstract get label(): string;

  /** The state, for `sys.getState`. */
  get systemState(): unknown {
    return undefined;
  }

  /** Behaviour-specific entries of `sys.getStatus`. */
  get systemStatus(): Record<string, unknown> {
    return { state: this.systemState };
  }

  /** @throws Error when the process has no state that can be replaced */
  replaceSystemState(_next: unknown): void {
    throw new Error(`the state of ${this.label} cannot be replaced`);
  }

  /** Switches to new code (`sys.changeCode`). @throws Error when the process has no behaviour to change */
  changeCode(_behaviour: unknown, _extra: unknown): void {
    throw new Error(`${this.label} has no code to change`);
  }
}
