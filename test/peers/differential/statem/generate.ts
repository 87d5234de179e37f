/** Random state machines: small tables, and events that most states handle. */
import type { Random } from "../random.js";
import type { Reason } from "../terms.js";
import {
  type Act,
  type Answer,
  type Cells,
  type Module,
  type Op,
  type Scenario,
  STATES,
} from "./scenario.js";

const WORDS = ["p", "q"] as const;
const EVENTS = [
  ...["call", "cast", "info", "internal", "timer"].flatMap((kind) => WORDS.map((word) => `${kind}_${word}`)),
  "timeout",
  "state_timeout",
  "exit",
];
const REASONS: readonly Reason[] = ["normal", "shutdown", { shutdown: "why" }, "oops"];
const SIGNALS: readonly Reason[] = [...REASONS, "kill", "killed"];
/** Many of zero: that is where the order is. */
const TIMES = [0, 0, 0, 10, 10, 25, 40, "infinity", "cancel", "update", "update"] as const;
const STEPS = ["next", "next", "next", "keep", "keep", "keep_and_data", "repeat", "repeat_and_data"] as const;

const LOOKS = ["get", "get", "suspend", "suspend", "resume", "resume", "resume", "replace", "stop"] as const;

class Maker {
  readonly #random: Random;
  readonly #modules: number;
  /** Contents are told apart by their number. */
  #n = 0;

  constructor(random: Random) {
    this.#random = random;
    this.#modules = random.pick([1, 1, 2, 3]);
  }

  scenario(): Scenario {
    const random = this.#random;
    return {
      modules: Array.from({ length: this.#modules }, () => this.#module()),
      initial: random.pick(STATES),
      traps: random.chance(0.5),
      actions: random.chance(0.3) ? this.#acts(2).filter((act) => act.do !== "postpone") : [],
      steps: random.many(3, 14, () => this.#step()),
    };
  }

  #module(): Module {
    const random = this.#random;
    const enter = random.chance(0.5);
    const cells = () => this.#cells(enter);
    return {
      mode: random.pick(["state_functions", "handle_event_function"]),
      enter,
      cells: { a: cells(), b: cells(), c: cells() },
    };
  }

  #cells(enter: boolean): Cells {
    const random = this.#random;
    const cells: Record<string, readonly Answer[]> = {};
    for (const event of EVENTS) {
      if (random.chance(0.6)) cells[event] = random.many(1, 2, () => this.#answer(event.startsWith("call")));
    }
    if (enter && random.chance(0.7)) cells.enter = random.many(1, 3, () => this.#onEnter());
    return cells;
  }

  #answer(call: boolean): Answer {
    const random = this.#random;
    const later = random.chance(0.15) ? { later: true } : {};
    const keeps = call && random.chance(0.3) ? { keeps: true } : {};
    if (random.chance(0.04)) {
      const step = random.pick(["stop", "stop_and_reply", "stop_and_reply", "crash"] as const);
      const actions: Act[] = step === "stop_and_reply" ? [{ do: "reply", n: ++this.#n }] : [];
      return { step, reason: random.pick(REASONS), actions, ...later, ...keeps };
    }
    const actions = this.#acts(4);
    const step = random.pick(STEPS);
    return { step, ...(step === "next" ? { state: random.pick(STATES) } : {}), actions, ...later, ...keeps };
  }

  /** What `enter` may not do, it does not. A crash in it is not compared: see the README of otp. */
  #onEnter(): Answer {
    const random = this.#random;
    const allowed = this.#acts(3).filter((act) => act.do === "reply" || act.do === "timer");
    const later = random.chance(0.15) ? { later: true } : {};
    if (random.chance(0.03)) return { step: "stop", reason: random.pick(REASONS), actions: [], ...later };
    // Rarely: it enters once more, and then asks the next of its answers.
    const step = random.chance(0.15)
      ? random.pick(["repeat", "repeat_and_data"] as const)
      : random.pick(["keep", "keep_and_data"] as const);
    return { step, actions: allowed, ...later };
  }

  #acts(most: number): Act[] {
    return this.#random.chance(0.35) ? [] : this.#random.many(1, most, () => this.#act());
  }

  #act(): Act {
    const random = this.#random;
    const n = ++this.#n;
    const dice = random.next();
    if (dice < 0.15) return { do: "reply", n };
    if (dice < 0.35) return { do: "postpone" };
    if (dice < 0.55) return this.#event(n);
    if (dice > 0.75 && this.#modules > 1) return this.#switch();
    const timer = random.pick(["timeout", "state_timeout", "p", "q"] as const);
    return { do: "timer", timer, ms: random.pick(TIMES), n };
  }

  #event(n: number): Act {
    const random = this.#random;
    if (random.chance(0.15)) return { do: "event", type: random.pick(["timeout", "state_timeout"]), n };
    const type = random.pick(["internal", "internal", "cast", "info", "call", "timer"] as const);
    return { do: "event", type, word: random.pick(WORDS), n };
  }

  #switch(): Act {
    const module = this.#random.between(1, this.#modules);
    return this.#random.pick([{ do: "change", module }, { do: "push", module }, { do: "pop" }]);
  }

  #step(): Op[] {
    const random = this.#random;
    // Alone: whether a message or the end of the parent comes first is open.
    if (random.chance(0.015)) return [{ op: "parent", reason: random.pick(REASONS) }];
    if (random.chance(0.12)) return [this.#look()];
    if (random.chance(0.25)) return [{ op: "advance", ms: random.pick([5, 10, 15, 30, 60]) }];
    return random.many(1, 4, () => this.#op());
  }

  /** Alone as well: they wait for the answer. */
  #look(): Op {
    const random = this.#random;
    const op = random.pick(LOOKS);
    if (op === "replace") return { op, state: random.pick(STATES) };
    return op === "stop" ? { op, reason: random.pick(REASONS) } : { op };
  }

  #op(): Op {
    const random = this.#random;
    const word = random.pick(WORDS);
    const dice = random.next();
    if (dice < 0.025) return { op: "signal", reason: random.pick(SIGNALS) };
    if (dice < 0.3) return { op: "call", word };
    return { op: random.pick(["cast", "cast", "info"]), word, n: ++this.#n };
  }
}

export function generate(random: Random): Scenario {
  return new Maker(random).scenario();
}
