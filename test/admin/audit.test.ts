/** Audit of changes from outside: who, what, result, on the channel and as a log line. */
import { expect, it, onTestFinished } from "vitest";
import { type AdminChange, adminChanges } from "../../src/admin/events.js";
import { AUDIT_SOURCE } from "../../src/telemetry/log/lines/audit-lines.js";
import { ask, BEARER, listenTo, post, running, TOKEN } from "./support.js";

/** The changes that are published until the test ends. */
function published(): AdminChange[] {
  const changes: AdminChange[] = [];
  const listener = (event: unknown) => void changes.push(event as AdminChange);
  adminChanges.subscribe(listener);
  onTestFinished(() => void adminChanges.unsubscribe(listener));
  return changes;
}

it("names the user of the control socket, what was asked for, and the result; reading is no change", async () => {
  const changes = published();
  const counted: string[] = [];
  const { socketPath } = await running({
    onChange: ({ action, result }) => counted.push(`${action} ${result}`),
  });
  await ask({ socketPath }, { path: "/info" });
  await post({ socketPath }, "/kill", { pid: "<1.17>" }, { "user-agent": "tester" });
  await post({ socketPath }, "/kill", { pid: "<9.9>" });
  const uid = process.geteuid?.();
  const by = uid === 0 ? "uid 0" : `uid ${uid} or root`;
  expect(changes).toMatchObject([
    { action: "kill", via: "control_socket", by, client: "tester", request: { pid: "<1.17>" }, result: "ok" },
    { action: "kill", request: { pid: "<9.9>" }, result: "refused", status: 404, error: "no process <9.9>" },
  ]);
  expect(counted).toEqual(["kill ok", "kill refused"]);
});

it("names the token and the address of a client of the admin port, and one without a valid token", async () => {
  const changes = published();
  const { port } = await running({ token: TOKEN });
  await post({ port }, "/scale", { workers: 3 }, BEARER);
  await post({ port }, "/scale", { workers: 3 });
  await post({ port }, "/scale", { workers: 0 }, BEARER);
  expect(changes).toMatchObject([
    {
      action: "scale",
      via: "admin_port",
      by: "admin token",
      request: { workers: 3 },
      result: "ok",
      status: 200,
    },
    { by: "no valid token", request: {}, result: "refused", status: 401 },
    { by: "admin token", request: { workers: 0 }, result: "refused", status: 400 },
  ]);
  expect(changes[0]?.address).toMatch(/^127\.0\.0\.1:\d+$/);
});

it("audits a trace, which shows what clients send, and keeps the message of an ask to itself", async () => {
  const changes = published();
  const { socketPath } = await running();
  const trace = await listenTo({ socketPath }, "/trace/%3C1.17%3E");
  trace.close();
  await post({ socketPath }, "/ask", { name: "device/42", body: { secret: 1 } });
  expect(changes).toMatchObject([
    { action: "trace", request: { pid: "<1.17>" }, result: "ok" },
    { action: "ask", request: { name: "device/42" }, result: "ok" },
  ]);
  expect(JSON.stringify(changes)).not.toContain("secret");
});

it("publishes the change of the log level before it, so that `silent` does not hide which caller asked for it", async () => {
  const order: string[] = [];
  const admin = await running({ onChange: ({ action }) => order.push(action) });
  admin.control.logLevel = (level) => void order.push(level);
  await post({ socketPath: admin.socketPath }, "/log", { level: "silent" });
  expect(order).toEqual(["log", "silent"]);
});

it("is one line: change, result, caller, way; written at every level but silent", () => {
  const entry = AUDIT_SOURCE.entry({
    ...{ action: "drain", via: "admin_port", by: "admin token", address: "10.0.0.9:51234", client: "curl" },
    ...{ request: { deadlineMs: 25_000, listener: "main" }, result: "refused", status: 409 },
    ...{ error: "the program is stopping", durationMs: 2 },
  } satisfies AdminChange);
  expect(entry).toMatchObject({ level: "warn", always: true });
  expect(entry.message).toBe(
    "audit: drain 25000 main: refused (the program is stopping), asked by admin token at 10.0.0.9:51234 over admin port",
  );
  expect(entry.fields()).toEqual({
    ...{
      audit: "drain",
      request: { deadlineMs: 25_000, listener: "main" },
      via: "admin_port",
      by: "admin token",
    },
    ...{ address: "10.0.0.9:51234", client: "curl", result: "refused", status: 409 },
    ...{ error: "the program is stopping", durationMs: 2 },
  });
});
