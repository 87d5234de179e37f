/** xstate: `createActor` of a machine with one state. It has no calls: a reply goes through the event. */
import { type Actor, assign, createActor, setup } from "xstate";
import { BATCH } from "./drover.js";
import type { Contestant } from "./measure.js";

type Event = { type: "add" } | { type: "get"; reply: (n: number) => void };

const counter = setup({ types: { context: {} as { n: number }, events: {} as Event } }).createMachine({
  context: { n: 0 },
  on: {
    add: { actions: assign({ n: ({ context }) => context.n + 1 }) },
    get: {
      actions: [
        assign({ n: ({ context }) => context.n + 1 }),
        ({ context, event }) => event.reply(context.n),
      ],
    },
  },
});

const begin = (): Actor<typeof counter> => createActor(counter).start();

export const xstate: Contestant = {
  name: "xstate",
  async casts(count) {
    const actor = begin();
    for (let sent = 0; sent < count; sent++) {
      actor.send({ type: "add" });
      if (sent % BATCH === BATCH - 1) await new Promise((resolve) => setImmediate(resolve));
    }
    if (actor.getSnapshot().context.n !== count) throw new Error("xstate lost a cast");
    actor.stop();
  },
  async calls(count) {
    const actor = begin();
    for (let asked = 0; asked < count; asked++) {
      await new Promise((resolve) => actor.send({ type: "get", reply: resolve }));
    }
    actor.stop();
  },
  async spawns(count) {
    for (let made = 0; made < count; made++) begin().stop();
  },
  async idle(count) {
    const actors = Array.from({ length: count }, begin);
    return () => {
      for (const actor of actors) actor.stop();
    };
  },
};
