/** What `sys` may ask of any process, and what it says unless its behaviour knows better. */
import { ProcessFlags } from "../process/flags.js";
import type { SystemMessageHandler } from "./system-message-handler.js";

export abstract class Inspected extends ProcessFlags {
  /** @internal Only while somebody looks at it. */
  sys: SystemMessageHandler | undefined = undefined;

  /** What it is called in trees and reports. */
  abstract get label(): string;

  /** What `getState` shows. */
  get systemState(): unknown {
    return undefined;
  }

  /** What `getStatus` shows besides. */
  get systemStatus(): Record<string, unknown> {
    return { state: this.systemState };
  }

  /** @throws Error where there is no state that could be replaced */
  replaceSystemState(_next: unknown): void {
    throw new Error(`the state of ${this.label} cannot be replaced`);
  }

  /** New code takes over. @throws Error where there is nothing to take over */
  changeCode(_behaviour: unknown, _extra: unknown): void {
    throw new Error(`${this.label} has no code to change`);
  }
}
