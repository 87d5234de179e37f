/** Requests that are too long, too slow, too many or not requests at all. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { adminApp } from "../../src/admin/http/app.js";
import { limitConnections } from "../../src/admin/http/connection-limit.js";
import { closeServer, httpServer, LIMITS, listen } from "../../src/admin/http/http-server.js";
import { requestListener } from "../../src/admin/http/request-listener.js";
import { routeContexts } from "../../src/admin/routes/route-context.js";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";
import { until } from "../support/until.js";
import { FakeControl } from "./fake-control.js";
import { ask, BEARER, post, raw, running, TOKEN } from "./support.js";

const MUST_HAVE = {
  "content-security-policy": expect.stringContaining("default-src 'none'"),
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

it("every answer carries the strict headers, errors included", async () => {
  const admin = await running({ token: TOKEN });
  const answers = await Promise.all([
    ask(admin, { path: "/" }),
    ask(admin, { path: "/metrics" }),
    ask(admin, { path: "/nowhere" }),
    ask(admin, { path: "/kill" }),
    ask(admin, { path: "/tree", headers: { host: "evil.example" } }),
    post(admin, "/stop", {}),
    post({ socketPath: admin.socketPath }, "/kill", { pid: "no" }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 405, 403, 401, 400]);
  for (const { headers } of answers) expect(headers).toMatchObject(MUST_HAVE);
});

it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp", ""])(
  "a POST of content-type %j is 415",
  async (type) => {
    const { socketPath, control } = await running();
    const answer = await post({ socketPath }, "/stop", {}, { "content-type": type });
    expect([answer.status, control.changes]).toEqual([415, []]);
  },
);

it("a POST may name the charset", async () => {
  const { socketPath } = await running();
  const type = { "content-type": "application/json; charset=utf-8" };
  expect((await post({ socketPath }, "/stop", {}, type)).status).toBe(202);
});

it.each([
  ['{"pid":"<1.17>","__proto__":{}}', 'unknown member "__proto__": the members are pid, reason'],
  ['{"pid":"<1.17>","raeson":"x"}', 'unknown member "raeson": did you mean reason?'],
  ["[]", "the body must be a JSON object"],
  ["null", "the body must be a JSON object"],
  ['"<1.17>"', "the body must be a JSON object"],
  ["{", "the body must be a JSON object"],
  ["pid=1.17", "the body must be a JSON object"],
  ["{}", "not a pid: a pid looks like <1.17>"],
  ['{"pid":1.17}', "not a pid: a pid looks like <1.17>"],
  ['{"pid":["<1.17>"]}', "not a pid: a pid looks like <1.17>"],
  ['{"pid":"primary"}', "not a pid: a pid looks like <1.17>"],
  ['{"pid":"<1.17>","reason":7}', "reason must be a text of 1 to 200 printable characters"],
  ['{"pid":"<1.17>","reason":""}', "reason must be a text of 1 to 200 printable characters"],
  ['{"pid":"<1.17>","reason":"a\\nb"}', "reason must be a text of 1 to 200 printable characters"],
])("the body %s is refused: %s", async (body, error) => {
  const { socketPath, control } = await running();
  const answer = await post({ socketPath }, "/kill", body);
  expect([answer.status, answer.json, control.changes]).toEqual([400, { error }, []]);
});

it("a body of more than 64 KiB is 413, declared or not", async () => {
  const { port, control } = await running({ token: TOKEN });
  const large = JSON.stringify({ pid: "<1.17>", reason: "x".repeat(64 * 1024) });
  expect((await post({ port }, "/kill", large, BEARER)).status).toBe(413);
  expect((await post({ port }, "/kill", large, { ...BEARER, "transfer-encoding": "chunked" })).status).toBe(
    413,
  );
  expect(control.changes).toEqual([]);
});

it("a header of more than 8 KiB is 431", async () => {
  const { port } = await running();
  expect(await raw(port, `GET /tree HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(9000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 431 /,
  );
});

it.each([
  [
    "a second length",
    "POST /stop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
  ],
  ["no HTTP", "\x16\x03\x01 hello\r\n\r\n"],
  ["an unknown method", "FROB /tree HTTP/1.1\r\nHost: localhost\r\n\r\n"],
  ["no Host", "GET /tree HTTP/1.1\r\n\r\n"],
  ["an empty Host", "GET /tree HTTP/1.0\r\nHost:\r\n\r\n"],
  ["a Host that is none", "GET /tree HTTP/1.0\r\nHost: a b\r\n\r\n"],
  ["a URL that is none", "GET tree HTTP/1.0\r\n\r\n"],
])("%s is refused and closed", async (_, bytes) => {
  const { port, control } = await running();
  expect(await raw(port, bytes)).toMatch(/^HTTP\/1\.1 40[03] /);
  expect(control.changes).toEqual([]);
});

it("TRACE echoes nothing", async () => {
  const { port } = await running();
  const text = await raw(
    port,
    "TRACE /tree HTTP/1.1\r\nHost: localhost\r\nX-Secret: s3\r\nConnection: close\r\n\r\n",
  );
  expect(text).toMatch(/^HTTP\/1\.1 4/);
  expect(text).not.toContain("s3");
});

it("the limits are those that an operator can live with", () => {
  expect(LIMITS).toEqual({
    headersTimeout: 5_000,
    requestTimeout: 10_000,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 5_000,
    maxHeaderSize: 8_192,
    maxConnections: 64,
    timeout: 30_000,
  });
});

/** A server with other limits, so that nobody has to wait for the real ones. */
async function limited(limits: Partial<typeof LIMITS>): Promise<{ server: Server; port: number }> {
  const control = new FakeControl();
  const [room] = routeContexts({ control, accesses: [{ kind: "control" }] });
  const listener = requestListener(adminApp(control, room!));
  const server = httpServer(async () => listener, { ...LIMITS, ...limits });
  await listen(server, { host: "127.0.0.1", port: 0 });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

it("where its code cannot be loaded a request is answered with 500, and the next one tries again", async () => {
  const control = new FakeControl();
  const [room] = routeContexts({ control, accesses: [{ kind: "control" }] });
  const listener = requestListener(adminApp(control, room!));
  let loads = 0;
  const server = httpServer(async () => {
    if (++loads === 1) throw new Error("not there");
    return listener;
  });
  await listen(server, { host: "127.0.0.1", port: 0 });
  onTestFinished(() => closeServer(server));
  const { port } = server.address() as AddressInfo;
  const failed = await ask({ port }, { path: "/health" });
  expect(failed.status).toBe(500);
  expect(failed.headers).toMatchObject(MUST_HAVE);
  expect((await ask({ port }, { path: "/health" })).status).toBe(200);
});

it("of ten thousand requests in one write a thousand are answered, and others are served meanwhile", async () => {
  // On a busy machine they may take longer than the headers of a request usually may.
  const { port } = await limited({ headersTimeout: 60_000, requestTimeout: 60_000 });
  const flood = raw(port, "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(10_000));
  expect((await ask({ port }, { path: "/health" })).status).toBe(200);
  const statuses = [...(await flood).matchAll(/^HTTP\/1\.1 (\d+) /gm)].map(([, status]) => status);
  expect(statuses.length).toBeLessThanOrEqual(1_000);
  expect(new Set(statuses)).toEqual(new Set(["200"]));
});

it("between the requests that many clients send at once, those of others are answered", async () => {
  let [handled, before] = [0, -1];
  const server = httpServer(async () => async (incoming, outgoing) => {
    if (incoming.url === "/honest") before = handled;
    else if (++handled === 1) honest.write("GET /honest HTTP/1.1\r\nHost: localhost\r\n\r\n");
    outgoing.end("ok");
  });
  await listen(server, { host: "127.0.0.1", port: 0 });
  const { port } = server.address() as AddressInfo;
  let accepted = 0;
  server.on("connection", () => accepted++);
  const honest = connect(port, "127.0.0.1");
  const floods = Array.from({ length: 20 }, () => connect(port, "127.0.0.1"));
  onTestFinished(() => {
    for (const one of [honest, ...floods]) one.destroy();
    server.close();
  });
  await until(() => accepted === 21 && [honest, ...floods].every(({ connecting }) => !connecting));
  for (const one of floods) one.resume().write("GET /tree HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100));
  await once(honest, "data");
  expect(before).toBeLessThan(500);
  await until(() => handled === 2_000);
});

it("headers that do not end are cut off", async () => {
  const { port } = await limited({ headersTimeout: 40, requestTimeout: 80, connectionsCheckingInterval: 10 });
  expect(await raw(port, "GET /tree HTTP/1.1\r\nHost: loc")).toMatch(/^HTTP\/1\.1 408 /);
});

it("a body that does not come is cut off", async () => {
  const { port } = await limited({ headersTimeout: 40, requestTimeout: 80, connectionsCheckingInterval: 10 });
  const head =
    "POST /kill HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
  expect(await raw(port, head)).toMatch(/^HTTP\/1\.1 408 /);
});

it("a connection that says nothing is cut off", async () => {
  const { port } = await limited({ headersTimeout: 40, requestTimeout: 80, connectionsCheckingInterval: 10 });
  await raw(port, "");
});

const HALF_REQUESTS = {
  "say nothing": "",
  "do not end their headers": "GET /tree HTTP/1.1\r\nHost: loc",
  "do not send their body":
    "POST /kill HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
  "keep their connection after an answer": "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
};

it.each(Object.entries(HALF_REQUESTS))(
  "at the limit, clients that %s give their place to a new one",
  async (_, half) => {
    const { port, server } = await limited({ maxConnections: 4 });
    const idle: Socket[] = [];
    const closed: number[] = [];
    for (let n = 0; n < 8; n++) {
      const one = connect(port, "127.0.0.1");
      idle.push(one);
      one.on("error", () => {}).once("close", () => closed.push(n));
      const answered = half.startsWith("GET /health") ? once(one, "data") : undefined;
      const accepted = once(server, "connection");
      one.write(half);
      await accepted;
      await answered;
    }
    expect(
      (await raw(port, "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).slice(0, 12),
    ).toBe("HTTP/1.1 200");
    await until(() => closed.length >= 5);
    expect(closed.slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
    for (const one of idle) one.destroy();
  },
);

it("at the limit, a new connection is closed while all others wait for their answer", async () => {
  const server = createServer(() => {});
  limitConnections(server, 1);
  await listen(server, { host: "127.0.0.1", port: 0 });
  const { port } = server.address() as AddressInfo;
  const waiting = connect(port, "127.0.0.1");
  onTestFinished(() => {
    waiting.destroy();
    server.close();
  });
  waiting.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await new Promise((resolve) => server.once("request", resolve));
  expect(await raw(port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")).toBe("");
  expect(waiting.destroyed).toBe(false);
});

it("closing does not wait for a connection that is kept alive", async () => {
  const { port, close } = await running();
  const idle = connect(port, "127.0.0.1", () =>
    idle.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  );
  await new Promise((resolve) => idle.once("data", resolve));
  const closed = new Promise((resolve) => idle.once("close", resolve));
  const restore = useClock(new ManualClock());
  onTestFinished(restore);
  await close();
  await closed;
});

it("closing gives an answer that is under way half a second", async () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const stuck = createServer(() => {});
  const asked = new Promise((resolve) => stuck.once("request", resolve));
  await listen(stuck, { host: "127.0.0.1", port: 0 });
  const cut = raw((stuck.address() as AddressInfo).port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await asked;
  const closed = closeServer(stuck);
  await clock.advance(499);
  expect(await Promise.race([cut, Promise.resolve("open")])).toBe("open");
  await clock.advance(1);
  await closed;
  expect(await cut).toBe("");
});
