/** Who may do what, and who may not. */
import { describe, expect, it } from "vitest";
import { isLoopback } from "../../src/admin/access/guard.js";
import { ask, BEARER, post, raw, refusal, running, TOKEN } from "./support.js";

const KILL = { pid: "<1.17>" };

describe("a change over TCP", () => {
  it("is refused while no token is configured, and the control socket is named", async () => {
    const admin = await running();
    const { status, json } = await post({ port: admin.port }, "/kill", KILL, BEARER);
    expect([status, json.error]).toEqual([
      403,
      "no token is configured: make changes over the control socket",
    ]);
    expect(admin.control.changes).toEqual([]);
  });

  it("is 401 with the same answer whether the token is missing, short, wrong or of another scheme", async () => {
    const admin = await running({ token: TOKEN });
    const wrong = [
      "",
      "Bearer",
      "Bearer x",
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.toUpperCase()}`,
      `Basic ${TOKEN}`,
    ];
    const answers = [await post({ port: admin.port }, "/stop", {})];
    for (const authorization of wrong) {
      answers.push(await post({ port: admin.port }, "/stop", {}, { authorization }));
    }
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(
      new Set(['401 {"error":"token required: send Authorization: Bearer TOKEN"}']),
    );
    expect(answers[0]!.headers["www-authenticate"]).toBe("Bearer");
    expect(admin.control.changes).toEqual([]);
  });

  it("is made with the token", async () => {
    const admin = await running({ token: TOKEN });
    expect((await post({ port: admin.port }, "/stop", {}, BEARER)).status).toBe(202);
  });

  it.each([
    ["a foreign Origin", { origin: "http://evil.example" }],
    ["an Origin on another port of this machine", { origin: "http://localhost:1" }],
    ["the Origin null of a sandboxed frame", { origin: "null" }],
    ["Sec-Fetch-Site: cross-site", { "sec-fetch-site": "cross-site" }],
    ["Sec-Fetch-Site: same-site", { "sec-fetch-site": "same-site" }],
  ])("is 403 with %s, even with the token", async (_, headers) => {
    const admin = await running({ token: TOKEN });
    const { status, json } = await post({ port: admin.port }, "/stop", {}, { ...BEARER, ...headers });
    expect([status, json.error]).toEqual([
      403,
      "cross-site request: changes are accepted from this server's own page only",
    ]);
    expect(admin.control.changes).toEqual([]);
  });

  it("is made from a page of its own", async () => {
    const admin = await running({ token: TOKEN });
    const own = { origin: `http://127.0.0.1:${admin.port}`, "sec-fetch-site": "same-origin" };
    expect((await post({ port: admin.port }, "/stop", {}, { ...BEARER, ...own })).status).toBe(202);
  });
});

it("a change over the control socket needs no token", async () => {
  const { socketPath, control } = await running({ token: TOKEN });
  expect((await post({ socketPath }, "/kill", KILL)).status).toBe(200);
  expect(control.changes).toEqual(["kill <1.17> kill"]);
});

describe("the Host header", () => {
  it.each([
    "evil.example",
    "evil.example:9464",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.1",
  ])("%j is refused by a server on loopback", async (host) => {
    const { status, json } = await ask(await running(), { path: "/tree", headers: { host } });
    expect([status, json.error]).toEqual([403, "unknown Host: ask for localhost or 127.0.0.1"]);
  });

  it.each(["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:9464"])(
    "%j is served",
    async (host) => {
      expect((await ask(await running(), { path: "/tree", headers: { host } })).status).toBe(200);
    },
  );

  it("may be missing in HTTP/1.0, as health checks send it", async () => {
    const { port } = await running();
    expect(await raw(port, "GET /health HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("may be any name where a token guards an address that others reach", async () => {
    const { port } = await running({ host: "0.0.0.0", token: TOKEN });
    expect(
      (await ask({ port }, { path: "/tree", headers: { ...BEARER, host: "drover.example" } })).status,
    ).toBe(200);
  });

  it("does not matter on the control socket", async () => {
    const { socketPath } = await running();
    expect((await ask({ socketPath }, { path: "/tree", headers: { host: "anything" } })).status).toBe(200);
  });
});

describe("a start", () => {
  it.each(["0.0.0.0", "::", "10.0.0.1", "drover.example", "::ffff:10.0.0.1"])(
    "on %s without a token is refused with exit code 78",
    async (host) => {
      const { code, exitCode, message } = await refusal({ host });
      expect([code, exitCode]).toEqual(["exposed", 78]);
      expect(message).toContain(`admin host ${host}: other machines can reach`);
    },
  );

  it("with a token that can be guessed is refused with exit code 78, and the token is not repeated", async () => {
    const { code, exitCode, message } = await refusal({ token: "hunter2" });
    expect([code, exitCode]).toEqual(["bad_token", 78]);
    expect(message).not.toContain("hunter2");
  });
});

it.each(["127.0.0.1", "127.1.2.3", "::1", "0:0:0:0:0:0:0:1", "localhost", "LocalHost", "::ffff:127.0.0.1"])(
  "%s is loopback",
  (host) => {
    expect(isLoopback(host)).toBe(true);
  },
);
