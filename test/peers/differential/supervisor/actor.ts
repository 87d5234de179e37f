/** Worker of a scenario: exits on request, and reacts to `shutdown` as its plan says. */

import type { ExitReason } from "../../../../src/otp/process/exit-reason.js";
import { ExitMessage, Process } from "../../../../src/otp/process/process.js";
import { clock } from "../../../../src/otp/time/clock.js";
import type { Plan } from "./scenario.js";

/** Tells an actor to end by itself. */
export class Quit {
  readonly reason: ExitReason;
  constructor(reason: ExitReason) {
    this.reason = reason;
  }
}

export class Actor extends Process {
  readonly label: string;
  readonly #plan: Plan | undefined;
  readonly #gone: (reason: ExitReason) => void;

  constructor(
    label: string,
    parent: Process | undefined,
    plan: Plan | undefined,
    gone: (reason: ExitReason) => void,
  ) {
    super(parent);
    this.label = label;
    this.#plan = plan;
    this.#gone = gone;
    this.trapExit = plan !== undefined;
  }

  protected receive(message: unknown): void {
    if (message instanceof Quit) return this.exitWith(message.reason);
    if (!(message instanceof ExitMessage) || !this.#plan) return;
    const { lingers, leaves = message.reason } = this.#plan;
    if (lingers === 0) this.exitWith(leaves);
    else if (lingers !== "infinity") clock.setTimeout(() => this.exitWith(leaves), lingers);
  }

  protected override ended(reason: ExitReason): void {
    this.#gone(reason);
  }
}

/** Somebody who asks something, as a process: it waits for its turn behind those that were told before. */
export class Caller extends Process {
  readonly label = "caller";
  readonly #ask: () => Promise<void>;

  constructor(ask: () => Promise<void>) {
    super(undefined);
    this.#ask = ask;
    this.deliver("ask");
  }

  protected receive(): Promise<void> {
    return this.#ask().then(() => this.exitWith("normal"));
  }
}
