/** The routes by which the program is steered: what they take, and what they refuse. */
import { describe, expect, it } from "vitest";
import { Refusal } from "../../src/control/errors.js";
import { ask, BEARER, post, running, TOKEN } from "./support.js";

const to = async (path: string, body: object, admin?: Awaited<ReturnType<typeof running>>) => {
  const { socketPath } = admin ?? (await running());
  return post({ socketPath }, path, body);
};

describe("/suspend and /resume", () => {
  it("take a listener or none, and tell what each one does", async () => {
    const admin = await running();
    expect((await to("/suspend", {}, admin)).json).toEqual([
      { worker: 1, listener: "main", state: "suspended" },
      { worker: 2, listener: "main", state: "suspended" },
    ]);
    expect((await to("/resume", { listener: "main" }, admin)).status).toBe(200);
    expect(admin.control.changes).toEqual(["suspended main", "listening main"]);
  });

  it("refuse a listener that is no name or does not exist", async () => {
    const admin = await running();
    expect(await to("/suspend", { listener: 1 }, admin)).toMatchObject({ status: 400 });
    admin.control.suspend = async () => {
      throw new Refusal("unknown", 'no listener "x": there is main');
    };
    expect(await to("/suspend", { listener: "x" }, admin)).toMatchObject({
      status: 404,
      json: { error: 'no listener "x": there is main' },
    });
  });
});

describe("/drain", () => {
  it("begins with 202 and a deadline of 25 s, or the one given, and tells how far it is", async () => {
    const admin = await running();
    expect(await to("/drain", {}, admin)).toMatchObject({ status: 202, json: { status: "draining" } });
    expect((await to("/drain", { deadlineMs: 0 }, admin)).json).toMatchObject({ remainingMs: 0 });
    expect(admin.control.changes).toEqual(["drain 25000", "drain 0"]);
    expect((await ask({ socketPath: admin.socketPath }, { path: "/drain" })).json).toMatchObject({
      before: 2,
    });
  });

  it.each([-1, 1.5, "25s", null, 2 ** 31])("refuses the deadline %j", async (deadlineMs) => {
    const { status, json } = await to("/drain", { deadlineMs });
    expect([status, json.error]).toEqual([400, "deadlineMs must be whole milliseconds from 0 to 2147483647"]);
  });
});

describe("/scale", () => {
  it.each([0, -1, 1.5, 1025, "2", null])("refuses %j workers", async (workers) => {
    const { status, json } = await to("/scale", { workers });
    expect([status, json.error]).toEqual([400, "workers must be a whole number from 1 to 1024"]);
  });

  it("is 409 while another change is under way", async () => {
    const admin = await running();
    admin.control.scale = async () => {
      throw new Refusal("conflict", "scaling from 1 to 2 workers is under way: ask again after it");
    };
    expect((await to("/scale", { workers: 2 }, admin)).status).toBe(409);
  });
});

describe("/restart", () => {
  it("restarts one worker, with a deadline for its connections", async () => {
    const admin = await running();
    expect((await to("/restart", { worker: 2 }, admin)).json).toMatchObject({ worker: 2, osPid: 4103 });
    await to("/restart", { worker: 1, deadlineMs: 5 }, admin);
    expect(admin.control.changes).toEqual(["restart 2 25000", "restart 1 5"]);
  });

  it.each([{}, { worker: 0 }, { worker: "2" }, { worker: 1, deadlineMs: -1 }])("refuses %j", async (body) => {
    expect((await to("/restart", body)).status).toBe(400);
  });
});

describe("/limits and /limit", () => {
  it("show limits of all or of one listener, and change one in the name of the caller", async () => {
    const admin = await running({ token: TOKEN });
    const { socketPath, port } = admin;
    expect((await ask({ socketPath }, { path: "/limits" })).json).toHaveLength(2);
    expect((await ask({ socketPath }, { path: "/limits?listener=main" })).json).toHaveLength(1);
    await to("/limit", { limit: "max-connections", value: 500 }, admin);
    await post(
      { socketPath },
      "/limit",
      { limit: "deny", add: ["10.0.0.0/8"], listener: "main" },
      {
        "user-agent": "drover command (uid 1000, os pid 77, sudo by alice)",
      },
    );
    await post({ port }, "/limit", { reset: true }, BEARER);
    expect((await post({ port }, "/limit", { reset: true })).status).toBe(401);
    expect(admin.control.changes).toEqual([
      expect.stringMatching(/^limit {"limit":"max-connections","change":{"set":500}} by uid \d+/),
      'limit {"limit":"deny","listener":"main","change":{"add":["10.0.0.0/8"]}} by drover command (uid 1000, sudo by alice)',
      expect.stringMatching(/^limit {"change":"reset"} by admin token from 127\.0\.0\.1:\d+$/),
    ]);
  });

  it.each([
    {},
    { limit: "max-connections" },
    { limit: "max-connections", value: 1, reset: true },
    { limit: "deny", add: "10.0.0.0/8", remove: "10.0.0.0/8" },
    { limit: "max-connections", reset: false },
    { limit: 7, value: 1 },
    { limit: "nothing", value: 1 },
    { limit: "max-connections", values: 1 },
  ])("refuse %j", async (body) => {
    expect((await to("/limit", body)).status).toBe(400);
  });
});

describe("/log", () => {
  it("tells the level, and sets it", async () => {
    const admin = await running();
    const level = async () => (await ask({ socketPath: admin.socketPath }, { path: "/log" })).json;
    expect(await level()).toEqual({ level: "info" });
    expect((await to("/log", { level: "debug" }, admin)).json).toEqual({ level: "debug" });
    expect(await level()).toEqual({ level: "debug" });
  });

  it.each(["verbose", "", 1, null])("refuses the level %j with those there are", async (level) => {
    const { status, json } = await to("/log", { level });
    expect(status).toBe(400);
    expect(json.error).toMatch(/^level must be one of trace, debug, info, warn, error, fatal, silent/);
  });
});
