/** The commands that steer, against a server that exists only in memory. */
import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.js";
import { commandText } from "../../src/cli/help.js";
import type { LimitRow } from "../../src/control/limits.js";
import { FakeControl } from "../admin/fake-control.js";
import { running } from "../admin/support.js";
import { drover } from "./support.js";

describe("suspend and resume", () => {
  it("say what each listener does", async () => {
    const { socketPath, control } = await running();
    const outcome = await drover(socketPath, ["suspend"]);
    expect(outcome).toEqual({
      code: 0,
      stdout: "worker 1  main  suspended\nworker 2  main  suspended\n",
      stderr: "",
    });
    expect((await drover(socketPath, ["resume", "main"], { json: true })).stdout).toContain(
      '"listener": "main"',
    );
    expect(control.changes).toEqual(["suspended main", "listening main"]);
  });
});

describe("scale", () => {
  it("says how many there are now and were before", async () => {
    const { socketPath } = await running();
    expect((await drover(socketPath, ["scale", "4"])).stdout).toBe("4 workers, previously 2\n");
    expect((await drover(socketPath, ["scale", "4"])).stdout).toBe("4 workers, unchanged\n");
    expect((await drover(socketPath, ["scale", "1"], { json: true })).stdout).toContain('"workers": 1');
  });

  it.each(["0", "-1", "1e3", "two", "1025", ""])("refuses %j", async (given) => {
    const { socketPath, control } = await running();
    expect((await drover(socketPath, ["scale", given])).code).toBe(64);
    expect(control.changes).toEqual([]);
  });
});

describe("restart", () => {
  it("says which OS process took over, and how many connections were told to stop", async () => {
    const { socketPath, control } = await running();
    expect((await drover(socketPath, ["restart", "2"])).stdout).toBe(
      "worker 2 restarted as OS process 4103, previously 4101; 1 of 3 connections told to stop\n",
    );
    expect((await drover(socketPath, ["restart", "1"], { json: true })).stdout).toContain('"stopped": 1');
    expect(control.changes).toEqual(["restart 2 25000", "restart 1 25000"]);
    for (const given of ["0", "one", "1.5", ""])
      expect((await drover(socketPath, ["restart", given])).code).toBe(64);
  });
});

describe("limit", () => {
  it("shows the limits in force, of all, of one listener, or one of them", async () => {
    const { socketPath } = await running();
    expect((await drover(socketPath, ["limit"])).stdout).toMatch(
      /^LIMIT +OF +VALUE +FROM\nmax-connections +server +500 +flag\nmax-per-address +listener main +10 +changed at \d\d:\d\d by uid 0; configured: none of its own\n$/,
    );
    const values = new Map([["listener", "main"]]);
    expect((await drover(socketPath, ["limit"], { values })).stdout).not.toContain("max-connections");
    expect((await drover(socketPath, ["limit", "max-connections"], { json: true })).stdout).toContain(
      '"value": 500',
    );
    expect(await drover(socketPath, ["limit", "max"])).toMatchObject({
      code: 64,
      stderr: expect.stringContaining("there are max-connections, max-per-address"),
    });
    expect(await drover(socketPath, ["limit", "max-lag"], { values })).toMatchObject({
      code: 64,
      stderr: expect.stringContaining("max-lag is a limit of each worker"),
    });
  });

  it("has a help text that lists them all", () => {
    const limit = COMMANDS.find(({ name }) => name === "limit");
    expect(limit && commandText(limit)).toContain(
      "First argument: max-connections, when-full, accept-rate, max-per-address, address-rate, address-ban, allow, deny, first-frame, lifetime, frames-per-second, bytes-per-second, worker-outbound, worker-inbound, max-memory, max-lag, reset.",
    );
  });

  it("changes one, says what it was and which workers have it, and that it is not kept", async () => {
    const { socketPath, control } = await running();
    const [row] = control.limits_;
    const changed = {
      ...row,
      origin: "changed",
      changed: { at: 0, by: "uid 0", configured: "500" },
    } as LimitRow;
    control.limited = {
      changes: [{ ...changed, text: "400", before: "500" }],
      workers: [
        { worker: 1, state: "applied" },
        { worker: 2, state: "not answering" },
      ],
      notes: ["450 connections are open"],
    };
    expect((await drover(socketPath, ["limit", "max-connections", "400"])).stdout).toBe(
      "max-connections: 400, previously 500\n" +
        "in force in 1 worker, until the server ends: set it in the configuration to keep it\n" +
        "worker 2 is not answering: it applies the change when its event loop runs again\n" +
        "450 connections are open\n",
    );
    expect((await drover(socketPath, ["limit", "max-connections", "400"], { json: true })).stdout).toContain(
      '"before"',
    );
  });

  it("takes values, lists of networks, off, add, remove and reset", async () => {
    const { socketPath, control } = await running();
    const values = new Map([["listener", "main"]]);
    for (const line of [
      "deny 10.0.0.0/8 192.0.2.1",
      "deny add 10.0.0.0/8",
      "deny remove 10.0.0.0/8",
      "deny off",
    ])
      await drover(socketPath, ["limit", ...line.split(" ")], { values });
    await drover(socketPath, ["limit", "deny", "reset"]);
    await drover(socketPath, ["limit", "reset", "deny"]);
    expect((await drover(socketPath, ["limit", "reset"])).stdout).toBe("unchanged: it is in force already\n");
    expect(control.changes.map((text) => /^limit (.*) by /.exec(text)?.[1])).toEqual([
      '{"limit":"deny","listener":"main","change":{"set":"10.0.0.0/8,192.0.2.1"}}',
      '{"limit":"deny","listener":"main","change":{"add":"10.0.0.0/8"}}',
      '{"limit":"deny","listener":"main","change":{"remove":"10.0.0.0/8"}}',
      '{"limit":"deny","listener":"main","change":{"set":"off"}}',
      '{"limit":"deny","change":"reset"}',
      '{"limit":"deny","change":"reset"}',
      '{"change":"reset"}',
    ]);
    expect((await drover(socketPath, ["limit", "deny", "add"])).stderr).toContain("add takes networks");
    expect((await drover(socketPath, ["limit", "reset", "deny", "x"])).code).toBe(64);
  });
});

describe("ban", () => {
  it("bans an address for an hour or for a given time, lists it, and lifts it", async () => {
    const { socketPath, control } = await running();
    expect((await drover(socketPath, ["bans"])).stdout).toBe("no address is banned\n");
    expect((await drover(socketPath, ["ban", "192.0.2.7"])).stdout).toBe("192.0.2.7 banned for 1h\n");
    const timed = await drover(socketPath, ["ban", "2001:db8::7"], { values: new Map([["for", "10m"]]) });
    expect(timed.stdout).toBe("2001:db8::/64 banned for 10m\n");
    expect((await drover(socketPath, ["bans"])).stdout).toMatch(
      /^ADDRESS +LEFT\n192\.0\.2\.7 +1h\n2001:db8::\/64 +10m\n$/,
    );
    expect((await drover(socketPath, ["unban", "2001:db8::/64"])).stdout).toBe(
      "2001:db8::/64 is no longer banned\n",
    );
    expect((await drover(socketPath, ["unban", "::ffff:192.0.2.7"], { json: true })).stdout).toContain(
      '"192.0.2.7"',
    );
    expect(control.banned.size).toBe(0);
  });

  it.each(["localhost", "192.0.2.0/24", "1.2.3", "2001:db8::/32"])("refuses %s", async (address) => {
    const { socketPath, control } = await running();
    const { code, stderr } = await drover(socketPath, ["ban", address]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("address must be an IP address such as 192.0.2.7");
    expect(control.changes).toEqual([]);
  });
});

describe("reload-tls", () => {
  it("says what each listener does, and its warnings", async () => {
    const { socketPath, control } = await running();
    control.reloads = [
      { listener: "main", result: "reloaded", warnings: ["tls.cert: a.crt: has expired"] },
      { listener: "other", result: "unchanged", warnings: [] },
    ];
    expect((await drover(socketPath, ["reload-tls"])).stdout).toBe(
      "main   reloaded\n       warning: tls.cert: a.crt: has expired\nother  unchanged\n",
    );
    expect((await drover(socketPath, ["reload-tls"], { json: true })).stdout).toContain(
      '"result": "reloaded"',
    );
    control.reloads = [];
    expect((await drover(socketPath, ["reload-tls"])).stdout).toBe("no listener has TLS\n");
  });

  it("fails with the reason of each listener that keeps its old certificates", async () => {
    const { socketPath, control } = await running();
    const refused = { result: "refused", warnings: [] } as const;
    control.reloads = [
      { listener: "main", ...refused, reason: "tls.key: a.key: no such file" },
      { listener: "other", result: "reloaded", warnings: [] },
    ];
    expect(await drover(socketPath, ["reload-tls"])).toEqual({
      code: 69,
      stdout: "",
      stderr: "listener main keeps its old certificates: tls.key: a.key: no such file\n",
    });
  });
});

describe("log", () => {
  it("shows the level, and sets it", async () => {
    const { socketPath, control } = await running();
    expect((await drover(socketPath, ["log"])).stdout).toBe("info\n");
    expect((await drover(socketPath, ["log", "debug"])).stdout).toBe("debug\n");
    expect((await drover(socketPath, ["log"], { json: true })).stdout).toBe('{\n  "level": "debug"\n}\n');
    expect(control.changes).toEqual(["log debug"]);
  });

  it("refuses a level that does not exist with those that do", async () => {
    const { socketPath } = await running();
    const { code, stderr } = await drover(socketPath, ["log", "wran"]);
    expect([code, stderr]).toEqual([
      64,
      "level must be one of trace, debug, info, warn, error, fatal, silent: did you mean warn?\n",
    ]);
  });
});

describe("drain", () => {
  const unfinished = {
    pid: "<1.17>",
    state: "talking",
    peer: "10.0.0.7:51234",
    ageMs: 65_000,
    idleMs: 3_000,
  };

  /** A server whose drain is over when it is asked the second time. */
  async function draining(end: object) {
    const control = new FakeControl();
    let asked = 0;
    control.draining = () => {
      if (++asked > 1)
        control.drain_ = { ...control.drain_, remainingMs: 0, active: 0, status: "drained", ...end };
      return control.drain_;
    };
    return { ...(await running({ control })), control };
  }

  it("ends with 0 when all have finished", async () => {
    const { socketPath, control } = await draining({});
    const { code, stdout } = await drover(socketPath, ["drain"]);
    expect([code, stdout]).toEqual([
      0,
      "draining: 2 of 2 connections left, deadline in 25s\ndrained: all 2 connections finished\n",
    ]);
    expect(control.changes).toEqual(["drain 25000"]);
  });

  it("ends with 1 when some were told to stop, and lists them", async () => {
    const { socketPath, control } = await draining({ cut: 2, unfinished: [unfinished] });
    const values = new Map([["deadline", "2s"]]);
    const { code, stdout } = await drover(socketPath, ["drain"], { values });
    expect(code).toBe(1);
    expect(stdout.split("\n").slice(1)).toEqual([
      "drained: 2 of 2 connections did not finish before the deadline and were told to stop",
      "  <1.17>  talking  10.0.0.7:51234  age 1m 5s  idle 3s",
      "  … and 1 more",
      "",
    ]);
    expect(control.changes).toEqual(["drain 2000"]);
  });

  it("draws a bar on a terminal, and nothing but the result with --json", async () => {
    const shown = await draining({});
    const terminal = await drover(shown.socketPath, ["drain"], { isTTY: true, columns: 100 });
    expect(terminal.stdout).toContain(
      "\r\x1b[K[----------------------------------------] draining: 2 of 2 connections left",
    );
    const told = await draining({});
    const { stdout } = await drover(told.socketPath, ["drain"], { json: true });
    expect(JSON.parse(stdout)).toMatchObject({ status: "drained", before: 2, active: 0 });
  });

  it("says when it has been ended", async () => {
    const { socketPath } = await draining({ status: "idle" });
    const { code, stdout } = await drover(socketPath, ["drain"]);
    expect(code).toBe(1);
    expect(stdout).toContain("drain cancelled: the server accepts connections again");
  });

  it("goes on in the server when the watching ends", async () => {
    const { socketPath } = await running();
    const { code, stdout } = await drover(socketPath, ["drain"], { interrupt: AbortSignal.abort() });
    expect([code, stdout]).toEqual([
      130,
      "the drain continues: `drover drain` shows its progress, `drover resume` cancels it\n",
    ]);
  });

  it("refuses a deadline that is no duration, and the flag where it does not belong", async () => {
    const { socketPath } = await running();
    const values = new Map([["deadline", "soon"]]);
    const wrong = await drover(socketPath, ["drain"], { values });
    expect([wrong.code, wrong.stderr]).toEqual([
      64,
      '--deadline: expected a duration such as 25s or 2m, got "soon"\n',
    ]);
    const misplaced = await drover(socketPath, ["tree"], { values });
    expect([misplaced.code, misplaced.stderr]).toEqual([64, "drover tree has no --deadline\n"]);
  });
});
