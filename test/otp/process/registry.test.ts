import { describe, expect, it } from "vitest";
import { type Pid, parsePid } from "../../../src/otp/process/pid.js";
import { register, unregister, whereis } from "../../../src/otp/process/registry.js";
import { exit, send } from "../../../src/otp/process/signals.js";
import { settle } from "../../../src/otp/time/clock.js";
import { Listener } from "../support.js";

describe("register", () => {
  it("gives a name by which a process is found and sent to", async () => {
    const process = new Listener();
    register("reg-a", process.pid);
    expect(whereis("reg-a")).toBe(process.pid);
    expect(process.registeredName).toBe("reg-a");
    send("reg-a", "hello");
    await settle();
    expect(process.got).toEqual(["hello"]);
  });

  it("takes a pid that was read from a text", () => {
    const process = new Listener();
    register("reg-text", parsePid(String(process.pid)) as Pid);
    expect(whereis("reg-text")).toBe(process.pid);
  });

  it("refuses a name that is taken, and says by which process", () => {
    const [a, b] = [new Listener(), new Listener()];
    register("reg-taken", a.pid);
    expect(() => register("reg-taken", b.pid)).toThrow(`the name "reg-taken" is taken by ${a.pid}`);
    expect(() => register("reg-taken", a.pid)).toThrow("is taken by");
  });

  it("refuses a second name for one process", () => {
    const a = new Listener();
    register("reg-one", a.pid);
    expect(() => register("reg-two", a.pid)).toThrow(`${a.pid} is already registered as "reg-one"`);
  });

  it("refuses a process that has ended", () => {
    const a = new Listener();
    a.quit("normal");
    expect(() => register("reg-dead", a.pid)).toThrow(`${a.pid} is not a living process of this OS process`);
    expect(whereis("reg-dead")).toBeUndefined();
  });
});

describe("a name", () => {
  it("is free again when its process ends, in the same moment", () => {
    const [a, b] = [new Listener(), new Listener()];
    register("reg-free", a.pid);
    exit(a.pid, "kill");
    expect(whereis("reg-free")).toBeUndefined();
    register("reg-free", b.pid);
    expect(whereis("reg-free")).toBe(b.pid);
  });

  it("is free again when it is taken away, and the process may have another", () => {
    const a = new Listener();
    register("reg-away", a.pid);
    expect([unregister("reg-away"), unregister("reg-away"), whereis("reg-away")]).toEqual([
      true,
      false,
      undefined,
    ]);
    register("reg-new", a.pid);
    expect(a.registeredName).toBe("reg-new");
  });

  it("that no process has drops what is sent to it", () => {
    expect(() => send("reg-nobody", "hello")).not.toThrow();
    expect(whereis("reg-nobody")).toBeUndefined();
  });
});
