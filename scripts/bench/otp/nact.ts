/** nact: `spawn` in a new actor system for each measurement. */
import { dispatch, query, type Ref, spawn, start, stop } from "nact";
import { BATCH } from "./drover.js";
import type { Contestant } from "./measure.js";

interface Message {
  readonly reply?: Ref<number>;
}

/** The default timeout of drover's `call`. */
const TIMEOUT = 5_000;

function counter(system: any, until: number, done: () => void): any {
  return spawn(
    system,
    (state: number | undefined, message: Message) => {
      const n = (state ?? 0) + 1;
      if (message.reply) dispatch(message.reply, n);
      if (n === until) done();
      return n;
    },
    "counter",
  );
}

/** Actors get explicit names: nact's default names are random numbers, which collide sooner or later. */
const nothing = (state: unknown) => state;

export const nact: Contestant = {
  name: "nact",
  async casts(count) {
    const system = start();
    let done = () => {};
    const all = new Promise<void>((resolve) => {
      done = resolve;
    });
    const actor = counter(system, count, done);
    for (let sent = 0; sent < count; sent++) {
      dispatch(actor, {});
      if (sent % BATCH === BATCH - 1) await new Promise((resolve) => setImmediate(resolve));
    }
    await all;
    stop(system);
  },
  async calls(count) {
    const system = start();
    const actor = counter(system, -1, () => {});
    for (let asked = 0; asked < count; asked++) await query(actor, (reply: any) => ({ reply }), TIMEOUT);
    stop(system);
  },
  async spawns(count) {
    const system = start();
    for (let made = 0; made < count; made++) stop(spawn(system, nothing as any, `idle-${made}`));
    stop(system);
  },
  async idle(count) {
    const system = start();
    for (let made = 0; made < count; made++) spawn(system, nothing as any, `idle-${made}`);
    return () => stop(system);
  },
};
