import { describe, expect, it } from "vitest";
import { application, type Running } from "../../src/otp/application.js";
import { processCount } from "../../src/otp/process/process.js";
import { whereis } from "../../src/otp/process/registry.js";
import { exit } from "../../src/otp/process/signals.js";
import { supervisor, whichChildren } from "../../src/otp/supervisor/supervisor.js";
import { settle } from "../../src/otp/time/clock.js";
import { reasonOfRejection } from "./gen-statem/support.js";
import { Stage } from "./stage.js";
import { listenToReports, manualClock, outcome } from "./support.js";

manualClock();
listenToReports();

function shop(stage: Stage, stopped: unknown[] = []) {
  return application("shop", {
    env: { port: 80, host: "::" },
    start: (env) =>
      supervisor("tree", { intensity: 0 }, [stage.child("till"), stage.child(`port ${env.port}`)]),
    stop: async (env, reason) => void stopped.push([env.port, reason]),
  });
}

describe("an application", () => {
  it("starts its tree with its configuration, and stops it from right to left", async () => {
    const stage = new Stage();
    const stopped: unknown[] = [];
    const running = await shop(stage, stopped).start({ port: 8080 });
    expect(running.env).toEqual({ port: 8080, host: "::" });
    expect(whereis("shop")).toBe(running.pid);
    expect(await whichChildren(running.pid)).toMatchObject([{ id: "tree", type: "supervisor" }]);
    await running.stop();
    expect(stage.take()).toEqual(["+till", "+port 8080", "-port 8080 shutdown", "-till shutdown"]);
    expect(stopped).toEqual([[8080, "shutdown"]]);
    await running.stop();
  });

  it("ends when its tree gives up", async () => {
    const stage = new Stage();
    const running = await shop(stage).start();
    stage.at("till").quit("boom");
    expect(await running.ended).toBe("shutdown");
    expect(whereis("shop")).toBeUndefined();
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("in stop");
      },
    ],
    [
      "rejects",
      async () => {
        throw new Error("in stop");
      },
    ],
  ])("ends though its stop %s: the stop and `ended` reject with that error", async (_, stop) => {
    const stage = new Stage();
    const app = application("shop", { start: () => supervisor("tree", {}, [stage.child("till")]), stop });
    const running = await app.start();
    const ended = outcome(running.ended);
    expect(await outcome(running.stop())).toMatchObject({ error: { message: "in stop" } });
    expect(await ended).toMatchObject({ error: { message: "in stop" } });
    expect([stage.take(), whereis("shop")]).toEqual([["+till", "-till shutdown"], undefined]);
    await (await shop(stage).start()).stop();
  });

  it("starts one tree when it is started twice at once", async () => {
    const stage = new Stage();
    const app = shop(stage);
    const before = processCount();
    const [first, second] = await Promise.all([outcome(app.start()), outcome(app.start())]);
    const running = (first as { value: Running<object> }).value;
    expect(second).toMatchObject({ error: { reason: { already_started: running.pid } } });
    expect(stage.take()).toEqual(["+till", "+port 80"]);
    await running.stop();
    expect(processCount()).toBe(before);
  });

  it("is known by its name, and refuses a second start, while its tree is starting", async () => {
    const stage = new Stage();
    let seen: unknown;
    const app = application("shop", {
      start: () => ({
        id: "slow",
        start: async (parent) => {
          seen = await reasonOfRejection(app.start());
          return stage.start("till", parent);
        },
      }),
    });
    const running = await app.start();
    expect(seen).toEqual({ already_started: running.pid });
    await running.stop();
  });

  it("gives its name back when its tree cannot start", async () => {
    const stage = new Stage();
    const before = processCount();
    stage.fail("till");
    await reasonOfRejection(shop(stage).start());
    expect([whereis("shop"), processCount()]).toEqual([undefined, before]);
  });

  it("refuses unknown keys, a second start, and a tree that cannot start", async () => {
    const stage = new Stage();
    expect(() => shop(stage).start({ prot: 1 } as never)).toThrow(
      'unknown key "prot"; the keys are port, host',
    );
    const running = await shop(stage).start();
    expect(await reasonOfRejection(shop(stage).start())).toEqual({ already_started: running.pid });
    exit(running.pid, "kill");
    await settle();
    stage.fail("till");
    expect(await reasonOfRejection(shop(stage).start())).toMatchObject({ shutdown: {} });
  });
});
