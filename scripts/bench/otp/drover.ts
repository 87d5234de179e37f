/** drover's `genServer`. */
import { call, cast, genServer, start } from "../../../src/otp/gen-server/gen-server.js";
import type { Pid } from "../../../src/otp/process/pid.js";
import { onDown, processOf } from "../../../src/otp/process/process.js";
import { exit } from "../../../src/otp/process/signals.js";
import type { Contestant } from "./measure.js";

interface State {
  n: number;
  until: number;
  done: () => void;
}

const counter = genServer({
  name: "counter",
  init: ({ until, done }: { until: number; done: () => void }): State => ({ n: 0, until, done }),
  calls: { get: (self) => ++self.state.n },
  casts: {
    add: (self) => {
      if (++self.state.n === self.state.until) self.state.done();
    },
  },
});

const idle = genServer({ name: "idle", init: (_: undefined) => ({ n: 0 }) });

function stop(pid: Pid): Promise<void> {
  return new Promise((resolve) => {
    onDown(pid, () => resolve());
    exit(pid, "shutdown");
  });
}

/** Casts per turn of the event loop: without a pause the sender would fill the mailbox of any library. */
export const BATCH = 10_000;

export const drover: Contestant = {
  name: "drover",
  async casts(count) {
    let done = () => {};
    const all = new Promise<void>((resolve) => {
      done = resolve;
    });
    const pid = await start(counter, { until: count, done });
    for (let sent = 0; sent < count; sent++) {
      cast(pid, "add");
      if (sent % BATCH === BATCH - 1) await new Promise((resolve) => setImmediate(resolve));
    }
    await all;
    await stop(pid);
  },
  async calls(count) {
    const pid = await start(counter, { until: -1, done: () => {} });
    for (let asked = 0; asked < count; asked++) await call(pid, "get");
    await stop(pid);
  },
  async spawns(count) {
    for (let made = 0; made < count; made++) await stop(await start(idle, undefined));
  },
  async idle(count) {
    const pids: Pid[] = [];
    for (let made = 0; made < count; made++) pids.push(await start(idle, undefined));
    return () => {
      for (const pid of pids) if (processOf(pid)) exit(pid, "kill");
    };
  },
};
