/** Concurrent children: they start and stop side by side, and a restart holds up nothing else. */
import { expect, it } from "vitest";
import { ProcessExit } from "../../../src/otp/process/exit-reason.js";
import { type ChildSpec, checkChildspecs } from "../../../src/otp/supervisor/child-spec.js";
import {
  startChild,
  startSupervisor,
  stopSupervisor,
  terminateChild,
  whichChildren,
} from "../../../src/otp/supervisor/supervisor.js";
import { clock, settle } from "../../../src/otp/time/clock.js";
import { endOf, Stage } from "../stage.js";
import { listenToReports, manualClock } from "../support.js";

const time = manualClock();
const reports = listenToReports();

/** A child whose start takes this long; it ends at once when it is aborted. */
function slow(stage: Stage, id: string, ms: () => number): ChildSpec {
  return {
    id,
    concurrent: true,
    start: async (parent, aborted) => {
      await new Promise<void>((resolve, reject) => {
        if (ms() === 0) return resolve();
        const timer = clock.setTimeout(resolve, ms());
        aborted?.addEventListener("abort", () => {
          clock.clearTimeout(timer);
          reject(new ProcessExit("aborted"));
        });
      });
      return stage.start(id, parent);
    },
  };
}

it("four starts of 2 s take 2 s, and a later child that is not concurrent waits for them", async () => {
  const stage = new Stage();
  const ids = ["a", "b", "c", "d"];
  const specs = ids.map((id) => slow(stage, id, () => 2_000));
  const root = startSupervisor("root", {}, [stage.child("first"), ...specs, stage.child("last")]);
  await time.clock.advance(1_999);
  expect(stage.take()).toEqual(["+first"]);
  await time.clock.advance(1);
  expect(stage.take()).toEqual(["+a", "+b", "+c", "+d", "+last"]);
  await stopSupervisor(await root);
});

it("the first start that fails is reported, and ends the others at once", async () => {
  const stage = new Stage();
  stage.fail("b");
  const root = startSupervisor("root", {}, [
    slow(stage, "a", () => 0),
    slow(stage, "b", () => 10),
    slow(stage, "c", () => 20_000),
  ]).catch((error: ProcessExit) => error.reason);
  await time.clock.advance(10);
  expect(await root).toEqual({ shutdown: { failed_to_start_child: "b", reason: "boom" } });
  expect(stage.living()).toEqual([]);
  expect(reports.take()).toEqual(["root: progress a", "root: start_error b boom"]);
});

it("one restart that hangs holds up neither that of another child nor a call", async () => {
  const stage = new Stage();
  let hangs = 0;
  const root = await startSupervisor("root", {}, [slow(stage, "a", () => hangs), slow(stage, "b", () => 0)]);
  hangs = 20_000;
  stage.at("a").quit("boom");
  await settle();
  stage.at("b").quit("boom");
  await settle();
  expect(stage.living()).toEqual(["b"]);
  expect(await whichChildren(root)).toMatchObject([{ id: "b" }, { id: "a", pid: "restarting" }]);
  await time.clock.advance(20_000);
  expect(stage.living().sort()).toEqual(["a", "b"]);
});

it("restarts count as they do one after the other", async () => {
  const stage = new Stage();
  const root = await startSupervisor(
    "root",
    { intensity: 5 },
    ["a", "b", "c"].map((id) => slow(stage, id, () => 0)),
  );
  const end = endOf(root);
  for (let n = 0; n < 2; n++) {
    for (const id of ["a", "b", "c"]) stage.at(id).quit("boom");
    await settle();
  }
  expect(end.reason).toBe("shutdown");
  expect(reports.take()).toContain("root: shutdown c reached_max_restart_intensity");
});

it("failed restarts are reported and retried, each counted", async () => {
  const stage = new Stage();
  const root = await startSupervisor("root", { intensity: 3 }, [slow(stage, "a", () => 0)]);
  const end = endOf(root);
  stage.fail("a", 9);
  stage.at("a").quit("bang");
  await settle();
  expect(end.reason).toBe("shutdown");
  expect(reports.take().filter((line) => line.startsWith("root: start_error"))).toHaveLength(3);
});

it("to stop the supervisor, or the child, ends a start at once and without a report", async () => {
  const stage = new Stage();
  let hangs = 0;
  const root = await startSupervisor("root", {}, [
    slow(stage, "a", () => hangs),
    slow(stage, "b", () => hangs),
  ]);
  reports.take();
  hangs = 20_000;
  for (const id of ["a", "b"]) stage.at(id).quit("normal");
  await settle();
  reports.take();
  expect(await terminateChild(root, "a")).toBe("ok");
  expect(await whichChildren(root)).toMatchObject([
    { id: "b", pid: "restarting" },
    { id: "a", pid: undefined },
  ]);
  await stopSupervisor(root);
  expect(reports.take()).toEqual([]);
});

it("a child that exits while others start is restarted, also right after its own start", async () => {
  const stage = new Stage();
  let quits = 0;
  const early: ChildSpec = {
    id: "early",
    concurrent: true,
    start: async (parent) => {
      const pid = stage.start("early", parent);
      if (quits-- > 0) stage.at("early").quit("early");
      return pid;
    },
  };
  const root = await startSupervisor("root", {}, [early, slow(stage, "b", () => 0)]);
  quits = 2;
  stage.at("early").quit("boom");
  await settle();
  expect(stage.starts.get("early")).toBe(4);
  expect(stage.living()).toContain("early");
  await stopSupervisor(root);
});

it("a child that exits during a start by startChild is restarted as well", async () => {
  const stage = new Stage();
  let quits = 1;
  const early: ChildSpec = {
    id: "early",
    concurrent: true,
    start: async (parent) => {
      const pid = stage.start("early", parent);
      if (quits-- > 0) stage.at("early").quit("early");
      return pid;
    },
  };
  const root = await startSupervisor("root", {}, []);
  await startChild(root, early);
  await settle();
  expect(stage.starts.get("early")).toBe(2);
  expect(await whichChildren(root)).toMatchObject([{ id: "early", pid: stage.pid("early") }]);
  await stopSupervisor(root);
});

it("children that ignore the shutdown are killed together", async () => {
  const stage = new Stage();
  const specs = ["a", "b", "c", "d"].map((id) => ({
    ...stage.child(id, {}, { lingers: Infinity }),
    concurrent: true,
    shutdown: "4s",
  }));
  const root = await startSupervisor("root", {}, specs as ChildSpec[]);
  const stopped = stopSupervisor(root);
  await time.clock.advance(4_000);
  await stopped;
  expect(stage.living()).toEqual([]);
});

it("startChild replies when the start has ended, and the supervisor goes on meanwhile", async () => {
  const stage = new Stage();
  const root = await startSupervisor("root", {}, []);
  const added = startChild(
    root,
    slow(stage, "a", () => 2_000),
  );
  await settle();
  expect(await whichChildren(root)).toMatchObject([{ id: "a", pid: undefined }]);
  await time.clock.advance(2_000);
  expect(await added).toBe(stage.pid("a"));
  stage.fail("b");
  expect(
    await startChild(
      root,
      slow(stage, "b", () => 0),
    ),
  ).toEqual({ error: "boom" });
  expect(await whichChildren(root)).toHaveLength(1);
  await stopSupervisor(root);
});

it("concurrent must be true or false", () => {
  const spec = { id: "a", start: () => "ignore" as const, concurrent: 1 as never };
  expect(() => checkChildspecs([spec])).toThrow('child spec "a": "concurrent" must be true or false');
});
