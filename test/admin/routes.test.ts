/** Routes and their answers, the same on the TCP port and on the control socket. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it, onTestFinished } from "vitest";
import { ROUTES } from "../../src/admin/routes/routes.js";
import { ask, BEARER, post, type Running, running, TOKEN, type Where } from "./support.js";

const DOORS: [string, (admin: Running) => Where][] = [
  ["the port", ({ port }) => ({ port })],
  ["the control socket", ({ socketPath }) => ({ socketPath })],
];

describe.each(DOORS)("through %s", (way, through) => {
  it("/ lists every route, as plain text", async () => {
    const { text, headers } = await ask(through(await running()), { path: "/" });
    expect(headers["content-type"]).toMatch(/^text\/plain/);
    for (const { method, path, sentence } of ROUTES) {
      expect(text).toMatch(new RegExp(`^${method} +${path} +`, "m"));
      expect(text).toContain(sentence);
    }
  });

  it("/metrics is what the program gives, in the content type of Prometheus", async () => {
    const { status, text, headers } = await ask(through(await running()), { path: "/metrics" });
    expect([status, text]).toEqual([200, "drover_connections_active 2\n"]);
    expect(headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  it.each(["/health", "/ready"])("%s is 200 with the status, and 503 when it is not well", async (path) => {
    const admin = await running();
    expect(await ask(through(admin), { path })).toMatchObject({
      status: 200,
      json: { ok: true, workers: 2 },
    });
    admin.control.health_ = { ok: false, status: "no workers", workers: 0 };
    admin.control.ready_ = { ok: false, status: "stopping", workers: 2 };
    const status = path === "/health" ? "no workers" : "stopping";
    expect(await ask(through(admin), { path })).toMatchObject({ status: 503, json: { ok: false, status } });
  });

  it("/tree is the tree, with as many connections as were asked for", async () => {
    const admin = await running();
    expect((await ask(through(admin), { path: "/tree" })).json).toEqual(admin.control.root);
    const { json } = await ask(through(admin), { path: "/tree?connections=1" });
    expect(json.children[1].children[0].children[0]).toMatchObject({ name: "connections", more: 1 });
  });

  it.each(["-1", "1e3", "0x1", "10001", "many", "1.5", " 1", ""])(
    "/tree?connections=%s is refused",
    async (asked) => {
      const path = `/tree?connections=${encodeURIComponent(asked)}`;
      const { status, json } = await ask(through(await running()), { path });
      expect([status, json.error]).toEqual([400, "connections must be a whole number from 0 to 10000"]);
    },
  );

  it("/config is the rows", async () => {
    const admin = await running();
    expect((await ask(through(admin), { path: "/config" })).json).toEqual(admin.control.config());
  });

  it("/info is what the program says of itself", async () => {
    const { json } = await ask(through(await running()), { path: "/info" });
    expect(json).toMatchObject({ name: "drover", osPid: 4100 });
  });

  it.each(["1.17", "<1.17>", "%3C1.17%3E"])("/info/%s is one process", async (pid) => {
    const { status, json } = await ask(through(await running()), { path: `/info/${pid}` });
    expect([status, json.pid, json.state]).toEqual([200, "<1.17>", "talking"]);
  });

  it("POST /kill sends an exit signal, kill unless a reason is given", async () => {
    const admin = await running({ token: TOKEN });
    const first = await post(through(admin), "/kill", { pid: "<1.17>" }, BEARER);
    const second = await post(through(admin), "/kill", { pid: "1.19", reason: "maintenance" }, BEARER);
    expect([first.status, first.json]).toEqual([200, { pid: "<1.17>", reason: "kill" }]);
    expect([second.status, second.json]).toEqual([200, { pid: "<1.19>", reason: "maintenance" }]);
    expect(admin.control.changes).toEqual(["kill <1.17> kill", "kill <1.19> maintenance"]);
  });

  it.each(["", "{}"])("POST /stop with the body %j begins the stop", async (body) => {
    const admin = await running({ token: TOKEN });
    expect(await post(through(admin), "/stop", body, BEARER)).toMatchObject({ status: 202 });
    expect(admin.control.changes).toEqual([`stop over ${way === "the port" ? "the admin port" : way}`]);
  });

  it.each(["-1", "1e3", "0x1", "1", "primary", "01.7", "1.0", "1.17x", "%ff"])(
    "/info/%s is no pid",
    async (pid) => {
      const { status, json } = await ask(through(await running()), { path: `/info/${pid}` });
      expect([status, json.error]).toEqual([400, "not a pid: a pid looks like <1.17>"]);
    },
  );

  it("a pid without a process is 404", async () => {
    const admin = await running({ token: TOKEN });
    const error = "no process <7.7>";
    expect(await ask(through(admin), { path: "/info/7.7" })).toMatchObject({ status: 404, json: { error } });
    const killed = await post(through(admin), "/kill", { pid: "7.7" }, BEARER);
    expect(killed).toMatchObject({ status: 404, json: { error } });
    expect(admin.control.changes).toEqual([]);
  });

  it("HEAD is answered where GET is, without a body", async () => {
    const { status, text } = await ask(through(await running()), { method: "HEAD", path: "/health" });
    expect([status, text]).toEqual([200, ""]);
  });
});

it("GET on what changes something is 405, names the method and changes nothing", async () => {
  const admin = await running();
  for (const path of ["/kill", "/stop"]) {
    const { status, headers, json } = await ask(admin, { path });
    expect([status, headers.allow, json]).toEqual([405, "POST", { error: `${path} takes POST` }]);
  }
  expect(admin.control.changes).toEqual([]);
});

it.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])("%s on what reads is 405", async (method) => {
  const { status, headers } = await ask(await running(), { method, path: "/tree" });
  expect([status, headers.allow]).toEqual([405, "GET, HEAD"]);
});

it.each(["/nowhere", "/tree/", "//tree", "/TREE", "/tree%00", "/info/1/2", `/${"x".repeat(4000)}`])(
  "%s is 404",
  async (path) => {
    const { status, json } = await ask(await running(), { path });
    expect([status, json.error]).toEqual([404, "no such route: GET / lists them"]);
  },
);

it("a failure inside is told to the log and not to the caller", async () => {
  const failures: unknown[] = [];
  const hear = (message: unknown): number => failures.push(message);
  subscribe("admin.failed", hear);
  onTestFinished(() => void unsubscribe("admin.failed", hear));
  const admin = await running();
  admin.control.failure = new Error("secret");
  const { status, text } = await ask(admin, { path: "/metrics" });
  expect(status).toBe(500);
  expect(text).not.toContain("secret");
  expect(failures).toEqual([{ method: "GET", path: "/metrics", error: admin.control.failure }]);
});
