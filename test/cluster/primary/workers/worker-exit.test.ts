/** Exit status of a worker, and what was done to it before, as an exit reason. */
import { expect, test } from "vitest";
import { WorkerExit } from "../../../../src/cluster/primary/workers/worker-exit.js";

const ENOUGH_MEMORY = () => undefined;
const ended = (before: Partial<WorkerExit>) => Object.assign(new WorkerExit(), before);

test.each<[string, Partial<WorkerExit>, number | null, string | null, unknown]>([
  ["exit status 0 without a request is normal", {}, 0, null, "normal"],
  ["exit status 0 after a request to drain is shutdown", { asked: "shutdown" }, 0, null, "shutdown"],
  ["another exit status is named", { asked: "shutdown" }, 3, null, { exit_status: 3 }],
  ["SIGKILL is killed", { asked: "killed" }, null, "SIGKILL", "killed"],
  ["another signal is named", {}, null, "SIGSEGV", { signal: "SIGSEGV" }],
  [
    "SIGKILL of the watchdog names the time without a message",
    { asked: "killed", killedAfterMs: 10_000 },
    null,
    "SIGKILL",
    { watchdog: "no message for 10000 ms" },
  ],
  [
    "SIGKILL in exit handlers has the exit code that the worker has sent",
    { asked: "shutdown", overdueCode: 0 },
    null,
    "SIGKILL",
    "shutdown",
  ],
])("%s", (_title, before, code, signal, reason) => {
  expect(ended(before).reason(code, signal, ENOUGH_MEMORY)).toEqual(reason);
});

test("a worker that was out of memory has that as its reason, unless the primary has killed it", () => {
  const outOfMemory = () => "out of memory";
  expect(ended({}).reason(null, "SIGABRT", outOfMemory)).toBe("out of memory");
  expect(ended({ asked: "killed" }).reason(null, "SIGKILL", outOfMemory)).toBe("killed");
});

test("a failed start has the message of the worker, or else its exit reason", () => {
  const failure = { code: 78, message: "no such protocol" };
  expect(ended({ failure }).startError({ exit_status: 78 })).toMatchObject({
    message: "no such protocol",
    reason: { failed: failure },
  });
  expect(ended({}).startError("killed")).toMatchObject({ reason: "killed" });
});
