/** Runs a scenario on the state machine of `src/otp`. */

import {
  type Behaviour,
  callWithin,
  cast,
  type Ref,
  start,
} from "../../../../src/otp/gen-server/gen-server.js";
import { type ExitReason, formatReason } from "../../../../src/otp/process/exit-reason.js";
import type { Pid } from "../../../../src/otp/process/pid.js";
import { ExitMessage, onDown, Process } from "../../../../src/otp/process/process.js";
import { exit, send } from "../../../../src/otp/process/signals.js";
import * as sys from "../../../../src/otp/sys/sys.js";
import { ManualClock, settle, useClock } from "../../../../src/otp/time/clock.js";
import type { Entry } from "../terms.js";
import { Machine } from "./machine.js";
import type { Op, Scenario } from "./scenario.js";

/** It does nothing but trap exits, and end when it is told to. */
class Parent extends Process {
  readonly label = "parent";
  constructor() {
    super(undefined);
    this.trapExit = true;
  }
  protected receive(message: unknown): void {
    if (!(message instanceof ExitMessage)) this.exitWith(message as ExitReason);
  }
}

class Stage {
  readonly entries: Entry[] = [];
  readonly clock = new ManualClock();
  readonly parent = new Parent();
  step = 0;
  #calls = 0;

  write = (group: string, line: string): void => {
    this.entries.push({ step: this.step, time: this.clock.now(), group, orphan: false, line });
  };

  async play(scenario: Scenario): Promise<void> {
    const parent = this.parent.pid;
    const machine = new Machine(scenario, this.write, (pid) => {
      this.write("m", "+m#1");
      onDown(pid, (reason) => this.write("m", `-m#1 ${formatReason(reason)}`));
    });
    const pid = await start(machine.modules[0] as Behaviour<undefined, any, any>, undefined, {
      parent,
    });
    await settle();
    for (const ops of scenario.steps) {
      this.step++;
      for (const op of ops) {
        const waiting = this.#do(op, pid, parent);
        // Not for nothing: an await would let the machine run between two operations of one step.
        if (waiting) await waiting;
      }
      await settle();
    }
  }

  #do(op: Op, pid: Pid, parent: Pid): Promise<void> | undefined {
    if (op.op === "advance") return this.clock.advance(op.ms);
    const looking = this.#look(op, pid);
    // Nobody is there any more, which is no news.
    if (looking) return looking.catch(() => {});
    const ref = pid as Ref<any, any>;
    if (op.op === "cast") cast(ref, op.word, op.n);
    else if (op.op === "info") send(pid, { word: op.word, n: op.n });
    else if (op.op === "signal") exit(pid, op.reason);
    else if (op.op === "parent") send(parent, op.reason);
    else if (op.op === "call") this.#call(ref, op.word);
    return undefined;
  }

  #look(op: Op, pid: Pid): Promise<void> | undefined {
    const shown = ({ state, data }: any) => this.write("~sys", `${op.op} ${state} ${data.n}`);
    const said = (word: string) => this.write("~sys", `${op.op} ${word}`);
    switch (op.op) {
      case "get":
        return sys.getState(pid).then(shown);
      case "replace":
        return sys.replaceState(pid, ({ data }) => ({ state: op.state, data })).then(shown);
      case "suspend":
        return sys.suspend(pid).then(said);
      case "resume":
        return sys.resume(pid).then(said);
      case "stop":
        return sys.stopProcess(pid, op.reason).then(() => {});
      default:
        return undefined;
    }
  }

  #call(ref: Ref<any, any>, word: string): void {
    const n = this.#calls++;
    callWithin(Number.POSITIVE_INFINITY, ref, word, n).then(
      (value) => this.write("~calls", `${n} answered ${value}`),
      (error) => this.write("~ends", `${n} exit ${formatReason(error)}`),
    );
  }
}

export async function playOurs(scenario: Scenario): Promise<Entry[]> {
  const stage = new Stage();
  const restore = useClock(stage.clock);
  try {
    await stage.play(scenario);
    return [...stage.entries];
  } finally {
    // And with it the machine.
    exit(stage.parent.pid, "kill");
    await settle();
    restore();
  }
}
