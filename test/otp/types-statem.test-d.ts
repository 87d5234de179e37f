/** What the compiler has to refuse of state machines, and what it has to let pass without an annotation. */

import { call, cast, genServer, type RefOf, start } from "../../src/otp/gen-server/gen-server.js";
import {
  begin,
  eventTimeout,
  genStatem,
  nextEvent,
  reply,
  replyTo,
  stateTimeout,
  timer,
} from "../../src/otp/gen-statem/gen-statem.js";
import { keep, next, postpone, repeat, stop, stopAndReply } from "../../src/otp/gen-statem/step.js";
import { child } from "../../src/otp/supervisor/child.js";

const Door = genStatem({
  name: "door",
  init: (code: string) => begin("locked", { code, presses: 0, waiting: [] as unknown[] }),
  states: {
    locked: {
      enter: (self, from) => {
        self.data.presses = 0;
        return from === "open" ? keep(timer("alarm", "1m")) : undefined;
      },
      calls: {
        press: (self, n: number) => {
          self.data.presses += n;
          return next("open", reply("opened"), stateTimeout("10s"));
        },
        presses: (self) => reply(self.data.presses),
        later: (self) => {
          self.data.waiting.push(self.from);
          return postpone;
        },
        quit: () => stopAndReply("normal", reply(true)),
      },
      casts: { knock: async () => keep(nextEvent({ type: "internal", content: 1 })) },
      timers: { alarm: () => next("open") },
    },
    open: {
      calls: {
        presses: async (self) => (self.data.presses > 0 ? reply("many") : repeat(reply("none"))),
        later: (self) => replyTo(self.from, 1),
      },
      timeout: { after: "10s", do: next("locked") },
      info: (_, message) => (message === "quit" ? stop() : eventTimeout("1s")),
    },
  },
});

export async function doors(door: RefOf<typeof Door>): Promise<void> {
  const started: RefOf<typeof Door> = await start(Door, "1234");
  const opened: "opened" = await call(door, "press", 1);
  const presses: number | "many" | "none" = await call(door, "presses");
  const later: unknown = await call(door, "later");
  const quit: true = await call(door, "quit");
  cast(door, "knock");
  child(Door, "1234", { restart: "transient" });
  void [started, opened, presses, later, quit];

  // @ts-expect-error wrong argument
  await call(door, "press", "1");
  // @ts-expect-error no argument
  await call(door, "press");
  // @ts-expect-error no such call
  await call(door, "pres", 1);
  // @ts-expect-error a cast is no call
  await call(door, "knock");
  // @ts-expect-error no such cast
  cast(door, "ring");
  // @ts-expect-error wrong answer
  const wrong: number = await call(door, "press", 1);
  // @ts-expect-error a door begins with a code
  await start(Door, 1234);
  // @ts-expect-error a door begins with a code
  child(Door, 1234);
  const Other = genServer({ name: "other", init: () => ({}), calls: { get: () => 1 } });
  // @ts-expect-error another behaviour's pid
  const other: RefOf<typeof Other> = door;
  void [wrong, other];
}

const init = () => begin("a", { n: 0 });
// @ts-expect-error no such state to begin with
genStatem({ name: "x", init: () => begin("zz", { n: 0 }), states: { a: {} } });
// @ts-expect-error no such state
genStatem({ name: "x", init, states: { a: { info: () => next("zz") } } });
// @ts-expect-error no such state, with actions
genStatem({ name: "x", init, states: { a: { info: () => next("zz", timer("t", 1)) } } });
// @ts-expect-error no such state, in a timeout
genStatem({ name: "x", init, states: { a: { timeout: { after: "1s", do: next("zz") } } } });
// @ts-expect-error wrong duration
genStatem({ name: "x", init, states: { a: { timeout: { after: "1 sec", do: stop() } } } });
// @ts-expect-error enter cannot change the state
genStatem({ name: "x", init, states: { a: { enter: () => next("b") }, b: {} } });
// @ts-expect-error no such cell
genStatem({ name: "x", init, states: { a: { cals: {} } } });
genStatem({
  name: "x",
  init,
  states: {
    a: {
      // @ts-expect-error no such field of the data
      info: (self) => self.data.m,
    },
  },
});
// @ts-expect-error wrong duration
timer("a", "1 second");
// @ts-expect-error no such event
nextEvent({ type: "frame", content: 1 });

const Any = genStatem({
  name: "any",
  init: (n: number) => begin("counting", { n }),
  stateEnter: true,
  handleEvent: (self, event) => {
    if (event.type === "call") return reply(self.data.n);
    if (event.type === "enter") return keep(stateTimeout("1s"));
    // @ts-expect-error no such field of the data
    return event.type === "timer" && event.name === "a" ? next("idle") : self.data.m;
  },
});
export async function any(): Promise<void> {
  await call(await start(Any, 1), "whatever", 1, 2);
  // @ts-expect-error it begins with a number
  await start(Any, "1");
}
