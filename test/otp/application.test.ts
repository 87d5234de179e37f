import { describe, expect, it } from "vitest";
import { application } from "../../src/otp/application.js";
import { whereis } from "../../src/otp/process/registry.js";
import { exit } from "../../src/otp/process/signals.js";
import { supervisor, whichChildren } from "../../src/otp/supervisor/supervisor.js";
import { settle } from "../../src/otp/time/clock.js";
import { reasonOfRejection } from "./gen-statem/support.js";
import { Stage } from "./stage.js";
import { listenToReports, manualClock } from "./support.js";

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
