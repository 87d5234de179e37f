/** What can be looked at: lists, numbers, and what a process holds; and how a wrong question is answered. */
import { describe, expect, it } from "vitest";
import { WorkerSilent } from "../../src/control/errors.js";
import { ask, running } from "./support.js";

describe("/connections", () => {
  it("is a hundred rows by pid unless the query says otherwise", async () => {
    const admin = await running();
    const { status, json } = await ask(admin, { path: "/connections" });
    expect([status, json.total, json.matched, json.missing]).toEqual([200, 2, 2, []]);
    expect(json.rows).toEqual(admin.control.rows);
    expect(admin.control.asked).toEqual({ sort: "pid", order: "asc", limit: 100 });
  });

  it("asks for exactly what the query says", async () => {
    const admin = await running();
    const path = "/connections?worker=2&state=talking&peer=10.0.&sort=bytesSent&order=desc&limit=10000";
    expect((await ask(admin, { path })).status).toBe(200);
    expect(admin.control.asked).toEqual({
      ...{ worker: 2, state: "talking", peer: "10.0.", sort: "bytesSent", order: "desc", limit: 10_000 },
    });
  });

  it("takes a hostile text as text", async () => {
    const admin = await running();
    const state = "<img onerror=1>' OR 1=1 --\n__proto__";
    await ask(admin, { path: `/connections?state=${encodeURIComponent(state)}&peer=__proto__` });
    expect(admin.control.asked).toMatchObject({ state, peer: "__proto__" });
  });

  it.each([
    ["srot=pid", 'unknown query name "srot": did you mean sort?'],
    ["limt=5", 'unknown query name "limt": did you mean limit?'],
    [
      "__proto__=1",
      'unknown query name "__proto__": known names are worker, listener, state, peer, by, sort, order, limit',
    ],
    ["sort=bytes", 'sort cannot be "bytes": did you mean bytesReceived?'],
    ["sort=BytesSent", 'sort cannot be "BytesSent": did you mean bytesSent?'],
    ["sort=toString", expect.stringMatching(/^sort cannot be "toString": one of pid, worker/)],
    ["sort=", expect.stringMatching(/^sort cannot be ""/)],
    ["order=down", 'order cannot be "down": one of asc, desc'],
    ["limit=-1", "limit must be a whole number from 0 to 10000"],
    ["limit=1e3", "limit must be a whole number from 0 to 10000"],
    ["limit=0x1", "limit must be a whole number from 0 to 10000"],
    ["limit=10001", "limit must be a whole number from 0 to 10000"],
    ["limit=", "limit must be a whole number from 0 to 10000"],
    ["limit=1&limit=2", "limit is given twice"],
    ["worker=0", "worker must be a whole number from 1 to 1024"],
    ["worker=1025", "worker must be a whole number from 1 to 1024"],
    ["worker=one", "worker must be a whole number from 1 to 1024"],
    ["worker=%2B1", "worker must be a whole number from 1 to 1024"],
    ["state=", "state must be a text of 1 to 200 characters"],
    [`peer=${"1".repeat(201)}`, "peer must be a text of 1 to 200 characters"],
  ])("?%s is refused", async (query, error) => {
    const admin = await running();
    expect(await ask(admin, { path: `/connections?${query}` })).toMatchObject({
      status: 400,
      json: { error },
    });
    expect(admin.control.asked).toBeUndefined();
  });
});

describe("/state", () => {
  it.each(["1.17", "<1.17>", "%3C1.17%3E"])("%s is what one process holds", async (pid) => {
    const { status, json } = await ask(await running(), { path: `/state/${pid}` });
    expect(status).toBe(200);
    expect(json).toMatchObject({ pid: "<1.17>", name: "chat", state: "talking", data: "{ nick: 'ann' }" });
  });

  it.each([
    ["/state/9.9", 404, "no process <9.9>"],
    ["/state/-1", 400, "not a pid: a pid looks like <1.17>"],
    ["/state/1.1e3", 400, "not a pid: a pid looks like <1.17>"],
    ["/state/%00", 400, "not a pid: a pid looks like <1.17>"],
    ["/state/..%2F..%2Fetc", 400, "not a pid: a pid looks like <1.17>"],
    ["/state/%3Cscript%3E", 400, "not a pid: a pid looks like <1.17>"],
    ["/state/1.17?depth=9", 400, 'unknown query name "depth"'],
  ])("%s is %d", async (path, status, error) => {
    expect(await ask(await running(), { path })).toMatchObject({ status, json: { error } });
  });

  it("is 503 and names the worker when that does not answer", async () => {
    const admin = await running();
    admin.control.state = () => Promise.reject(new WorkerSilent(1));
    const { status, json } = await ask(admin, { path: "/state/1.17" });
    expect([status, json]).toEqual([503, { error: "worker 1 does not answer", worker: 1 }]);
  });
});

it("/stats is the numbers of every worker", async () => {
  const admin = await running();
  expect((await ask(admin, { path: "/stats" })).json).toEqual(admin.control.stats());
});

it("/history is a row of numbers for each second, in few words", async () => {
  const admin = await running();
  const { status, json, text } = await ask(admin, { path: "/history" });
  expect([status, json]).toEqual([200, admin.control.history()]);
  expect(json.columns).toHaveLength(json.rows[1].length);
  expect(text).toContain('"rows":[null,[2,12,10,');
  expect((await ask(admin, { path: "/history?rows=5" })).status).toBe(400);
});

it("routes that need no token take whatever query a scraper sends", async () => {
  const admin = await running();
  for (const path of ["/metrics?collect[]=x", "/health?verbose", "/ready?t=1"]) {
    expect((await ask(admin, { path })).status).toBe(200);
  }
});
