/** State machine of a scenario: traces each event, and looks up its response in the table. */

import * as statem from "../../../../src/otp/gen-statem/gen-statem.js";
import { keep, next, postpone, repeat, Stop, StopAndReply } from "../../../../src/otp/gen-statem/step.js";
import { formatReason } from "../../../../src/otp/process/exit-reason.js";
import type { Pid } from "../../../../src/otp/process/pid.js";
import { ExitMessage } from "../../../../src/otp/process/process.js";
import { type Act, type Answer, type Module, type Scenario, STATES, type Timer } from "./scenario.js";

/** Callbacks after which a machine only keeps its state: some would go on for ever. */
const FUEL = 60;
const WORDS = ["p", "q"] as const;

interface Data {
  n: number;
  readonly kept: statem.From[];
  depth: number;
}
type Self = statem.StatemSelf<Data> & { readonly from?: statem.From };
type Event = Parameters<statem.HandleEventSpec<undefined, Data>["handleEvent"]>[1];

export class Machine {
  readonly modules: readonly object[];
  readonly #scenario: Scenario;
  readonly #write: (group: string, line: string) => void;
  readonly #born: (pid: Pid) => void;
  #callbacks = 0;

  constructor(scenario: Scenario, write: (group: string, line: string) => void, born: (pid: Pid) => void) {
    this.#scenario = scenario;
    this.#write = write;
    this.#born = born;
    this.modules = scenario.modules.map((module, at) => this.#module(module, at + 1));
  }

  #module(module: Module, number: number): object {
    const common = {
      name: `machine${number}`,
      trapExit: this.#scenario.traps,
      init: (_: undefined, { pid }: { readonly pid: Pid }) => {
        this.#born(pid);
        const data: Data = { n: 0, kept: [], depth: 0 };
        return statem.begin(
          this.#scenario.initial,
          data,
          ...this.#acts(this.#scenario.actions, data, undefined),
        );
      },
      terminate: ({ state, data }: Self, reason: unknown) =>
        this.#write("m", `terminate ${formatReason(reason)} in ${state} ${data.n} by ${number}`),
    };
    const on = (self: Self, event: Event) => this.#on(module, number, self, event);
    if (module.mode === "handle_event_function")
      return statem.genStatem<undefined, Data>({
        ...common,
        handleEvent: on as never,
        stateEnter: module.enter,
      });
    const states = Object.fromEntries(STATES.map((state) => [state, table(module.enter, on)]));
    return statem.genStatem({ ...common, states } as never);
  }

  #on(module: Module, number: number, self: Self, event: Event): unknown {
    const { data, state } = self;
    const [key, line] = describe(event);
    this.#write("m", `${line} in ${state} ${data.n} by ${number}`);
    const before = this.#callbacks++;
    const answers = module.cells[state as "a"][key];
    if (!answers || before >= FUEL) return undefined;
    const answer = answers[before % answers.length] as Answer;
    const step = this.#answer(answer, data, event.type === "call" ? event.from : undefined);
    return answer.later ? Promise.resolve(step) : step;
  }

  #answer(answer: Answer, data: Data, from: statem.From | undefined): unknown {
    // A promise that is rejected is the same crash.
    if (answer.step === "crash" && answer.later) return Promise.reject(answer.reason);
    if (answer.step === "crash") throw answer.reason;
    if (answer.keeps && from) data.kept.push(from);
    const acts = this.#acts(answer.actions, data, from);
    if (!answer.step.endsWith("_and_data")) data.n++;
    switch (answer.step) {
      case "next":
        return (next as any)(answer.state, ...acts);
      case "stop":
        return new Stop(answer.reason as never);
      case "stop_and_reply":
        return new StopAndReply(answer.reason as never, acts as statem.Action[] as never);
      case "repeat":
      case "repeat_and_data":
        return repeat(...acts);
      default:
        return acts.length === 1 ? acts[0] : keep(...acts);
    }
  }

  #acts(acts: readonly Act[], data: Data, from: statem.From | undefined): statem.Action[] {
    return acts.flatMap((act) => this.#act(act, data, from) ?? []);
  }

  #act(act: Act, data: Data, from: statem.From | undefined): statem.Action | undefined {
    switch (act.do) {
      case "postpone":
        return postpone;
      case "reply": {
        const to = from ?? data.kept.shift();
        return to && statem.replyTo(to, act.n);
      }
      case "event":
        return inserted(act, data);
      case "timer":
        return timer(act.timer, act.ms, act.n);
      case "pop":
        if (data.depth === 0) return undefined;
        data.depth--;
        return statem.popCallbackModule();
      case "push":
        data.depth++;
        return statem.pushCallbackModule(this.modules[act.module - 1] as object);
      case "change":
        return statem.changeCallbackModule(this.modules[act.module - 1] as object);
    }
  }
}

/** The same in the style of a table per state. */
function table(enter: boolean, on: (self: Self, event: Event) => unknown): object {
  const named = (type: "call" | "cast") =>
    Object.fromEntries(
      WORDS.map((name) => [
        name,
        (self: Self, ...args: unknown[]) => on(self, { type, name, args, from: self.from } as Event),
      ]),
    );
  const plain = (type: string) => (self: Self, content: unknown) => on(self, { type, content } as Event);
  return {
    ...(enter ? { enter: (self: Self, from: string) => on(self, { type: "enter", from }) } : {}),
    calls: named("call"),
    casts: named("cast"),
    info: plain("info"),
    internal: plain("internal"),
    eventTimeout: plain("timeout"),
    timeout: { do: plain("state_timeout") },
    timers: Object.fromEntries(
      WORDS.map((name) => [
        name,
        (self: Self, content: unknown) => on(self, { type: "timer", name, content }),
      ]),
    ),
  };
}

/** Its key among the cells, and its line in the trace. */
function describe(event: Event): [string, string] {
  switch (event.type) {
    case "enter":
      return ["enter", `enter from ${event.from}`];
    case "call":
    case "cast":
      return [`${event.type}_${event.name}`, `${event.type} ${event.name} ${event.args[0]}`];
    case "timer":
      return [`timer_${event.name}`, `timer ${event.name} ${event.content}`];
    case "timeout":
    case "state_timeout":
      return [event.type, `${event.type} ${event.content}`];
    default: {
      if (event.content instanceof ExitMessage) return ["exit", `EXIT ${formatReason(event.content.reason)}`];
      const { word, n } = event.content as { word: string; n: number };
      return [`${event.type}_${word}`, `${event.type} ${word} ${n}`];
    }
  }
}

function inserted(act: Extract<Act, { do: "event" }>, { kept }: Data): statem.Action | undefined {
  const { n } = act;
  if (act.type === "timeout" || act.type === "state_timeout")
    return statem.nextEvent({ type: act.type, content: n });
  const { type, word } = act as Extract<typeof act, { readonly word: unknown }>;
  if (type === "call") return kept[0] && statem.nextEvent({ type, from: kept[0], name: word, args: [n] });
  if (type === "cast") return statem.nextEvent({ type, name: word, args: [n] });
  if (type === "timer") return statem.nextEvent({ type, name: word, content: n });
  return statem.nextEvent({ type, content: { word, n } });
}

function timer(which: Timer, ms: number | "infinity" | "cancel" | "update", n: number): statem.Action {
  const after = ms === "infinity" || ms === "cancel" ? Number.POSITIVE_INFINITY : ms;
  if (which === "timeout")
    return after === "update" ? statem.updateEventTimeout(n) : statem.eventTimeout(after, n);
  if (which === "state_timeout") {
    if (ms === "cancel") return statem.cancelStateTimeout();
    return after === "update" ? statem.updateStateTimeout(n) : statem.stateTimeout(after, n);
  }
  if (ms === "cancel") return statem.cancelTimer(which);
  return after === "update" ? statem.updateTimer(which, n) : statem.timer(which, after, n);
}
