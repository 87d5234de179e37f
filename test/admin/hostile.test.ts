/** What a hostile client of the admin server sends beside wrong values: odd paths, odd requests, far too many. */
import { connect } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { adminFailures } from "../../src/admin/events.js";
import { until } from "../support/until.js";
import { FakeControl, node } from "./fake-control.js";
import { ask, BEARER, listenTo, post, raw, running, TOKEN } from "./support.js";

const GET = (path: string, more = "") =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}\r\n`;

it.each([
  ["/../etc/passwd", 404],
  ["/..%2f..%2fetc%2fpasswd", 404],
  // What a URL means is settled before a route is looked for, and before anybody is let through.
  ["/%2e%2e/tree", 200],
  ["//", 404],
  ["//evil.example/tree", 404],
  ["/tree/", 404],
  ["/TREE", 404],
  ["/%00", 404],
  ["/tree%00", 404],
  ["/info/%00", 400],
  ["/info/%ff%fe", 400],
  ["/info/%E0%A4%A", 400],
  [`/${"x".repeat(6_000)}`, 404],
  [`/${"x".repeat(8 * 1024)}`, 431],
] as [string, number][])("the path %s is %d", async (path, status) => {
  const { port } = await running();
  expect(await raw(port, GET(path))).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
});

it.each([
  "/debug/pprof",
  "/debug/pprof/heap",
  "/json",
  "/json/version",
  "/heapdump",
  "/inspector",
  "/profile",
  "/.env",
])("%s is not there", async (path) => {
  expect((await ask(await running(), { path })).status).toBe(404);
});

it.each(["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "GET"])(
  "%s of a route that changes something changes nothing",
  async (method) => {
    const admin = await running({ token: TOKEN });
    for (const path of [
      "/stop",
      "/kill",
      "/drain",
      "/scale",
      "/restart",
      "/suspend",
      "/resume",
      "/reload-tls",
      "/ban",
      "/unban",
      "/log",
    ]) {
      const { status, headers } = await ask(admin, { method, path, headers: BEARER });
      const reads = method === "GET" && status === 200;
      if (!reads) expect([path, status, headers.allow]).toEqual([path, 405, expect.stringContaining("POST")]);
    }
    expect(admin.control.changes).toEqual([]);
  },
);

it("unknown paths and methods without end make no answer larger and no new series", async () => {
  const admin = await running();
  const before = (await ask(admin, { path: "/metrics" })).text;
  for (let n = 0; n < 300; n++) {
    const { status, text } = await ask(admin, { method: n % 2 === 0 ? "DELETE" : "GET", path: `/x${n}` });
    expect([status, text.length < 100]).toEqual([404, true]);
  }
  expect((await ask(admin, { path: "/metrics" })).text).toBe(before);
});

it("ten thousand headers are 431", async () => {
  const { port } = await running();
  const many = Array.from({ length: 10_000 }, (_, n) => `X${n}: 1\r\n`).join("");
  expect(await raw(port, GET("/tree", many))).toMatch(/^HTTP\/1\.1 431 /);
});

it("a header of 1 MiB is 431", async () => {
  const { port } = await running();
  expect(await raw(port, GET("/tree", `X: ${"x".repeat(1 << 20)}\r\n`))).toMatch(/^HTTP\/1\.1 431 /);
});

it("chunks with extensions without end are refused and closed", async () => {
  const admin = await running({ token: TOKEN });
  const head =
    "POST /stop HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
    `Authorization: Bearer ${TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const text = await raw(admin.port, `${head}2;${"x=1;".repeat(8_000)}\r\n{}\r\n0\r\n\r\n`);
  expect(text).toMatch(/^HTTP\/1\.1 4\d\d /);
  expect(admin.control.changes).toEqual([]);
});

it("an expectation that cannot be met is 417", async () => {
  const { port } = await running();
  expect(await raw(port, GET("/tree", "Expect: the-unexpected\r\n"))).toMatch(/^HTTP\/1\.1 417 /);
});

it("what a client calls itself comes out as JSON, which no browser takes for a page", async () => {
  const control = new FakeControl();
  const name = '<img src=x onerror="alert(1)">';
  control.root = node("<0.1>", name, name, { state: name });
  const admin = await running({ control });
  const { headers, json } = await ask(admin, { path: "/tree" });
  expect(json).toMatchObject({ name, detail: name });
  expect(headers).toMatchObject({
    "content-type": expect.stringMatching(/^application\/json/),
    "content-security-policy": expect.stringMatching(/^default-src 'none'/),
    "x-content-type-options": "nosniff",
  });
});

it.each([
  -1,
  1e3,
  "1e3",
  "0x1",
  "-1",
  "primary",
  "0.0",
  "1.0",
  "1.01",
  "<1.17>\n<1.19>",
  "1.17 1.19",
  null,
  true,
  {},
])("no process is killed by the id %j", async (pid) => {
  const admin = await running({ token: TOKEN });
  const { status } = await post(admin, "/kill", { pid }, BEARER);
  expect([status, admin.control.changes]).toEqual([400, []]);
});

it("a client that breaks off leaves no word on standard output, and is no failure", async () => {
  const said = ["log", "info", "warn", "error"].map((method) =>
    vi.spyOn(console, method as "log").mockImplementation(() => {}),
  );
  const failures: unknown[] = [];
  const failed = (failure: unknown): void => void failures.push(failure);
  adminFailures.subscribe(failed);
  onTestFinished(() => {
    adminFailures.unsubscribe(failed);
    for (const one of said) one.mockRestore();
  });
  const admin = await running({ token: TOKEN });
  // In the middle of a large answer.
  const wide = node("<0.1>", "drover", "x".repeat(8 << 20));
  admin.control.root = wide;
  const half = connect(admin.port, "127.0.0.1", () => half.write(GET("/tree")));
  await new Promise((resolve) => half.once("data", resolve));
  half.resetAndDestroy();
  // In the middle of a body.
  const head = "Content-Type: application/json\r\nContent-Length: 100\r\n";
  const body = connect(admin.port, "127.0.0.1", () => {
    body.write(`POST /stop HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n${head}\r\n{`);
    setImmediate(() => body.resetAndDestroy());
  });
  await new Promise((resolve) => body.once("close", resolve));
  // In the middle of a stream.
  const stream = await listenTo(admin, "/events");
  await until(() => admin.control.followers.size === 1);
  stream.close();
  await until(() => admin.control.followers.size === 0);
  expect((await ask(admin, { path: "/health" })).status).toBe(200);
  expect(said.flatMap(({ mock }) => mock.calls)).toEqual([]);
  expect([failures, admin.control.changes]).toEqual([[], []]);
});
