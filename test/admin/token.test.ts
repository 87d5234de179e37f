/** The token: who gets it, what it opens, and what becomes of those who guess. */
import { describe, expect, it, onTestFinished } from "vitest";
import { localToken } from "../../src/admin/access/guard.js";
import { ROUTES } from "../../src/admin/routes/routes.js";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";
import { ask, BEARER, listenTo, post, running, TOKEN } from "./support.js";

describe("GET /token", () => {
  it("gives it to the owner of the control socket", async () => {
    const { socketPath } = await running({ token: TOKEN });
    expect(await ask({ socketPath }, { path: "/token" })).toMatchObject({
      status: 200,
      json: { token: TOKEN },
    });
  });

  it("is not there over TCP, with the token or without", async () => {
    const { port } = await running({ token: TOKEN });
    for (const headers of [{}, BEARER]) {
      const { status, text } = await ask({ port }, { path: "/token", headers });
      expect([status, text.includes(TOKEN)]).toEqual([404, false]);
    }
  });

  it("is 404 while there is none", async () => {
    const { socketPath } = await running();
    expect((await ask({ socketPath }, { path: "/token" })).status).toBe(404);
  });
});

it("one is made for a server that only this machine can reach, another each time", () => {
  const [one, other] = [localToken("127.0.0.1"), localToken("::1")];
  expect(one).toMatch(/^[\w-]{43}$/);
  expect(other).not.toBe(one);
  expect([localToken("0.0.0.0"), localToken("::"), localToken("drover.example")]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

describe("reading", () => {
  // The files of the page are there only where it was built.
  const reading = ROUTES.filter(
    ({ method, local, path }) => method === "GET" && !local && !/^\/page/.test(path),
  );
  const path = ({ path }: { readonly path: string }) => path.replace(":pid", "1.17");
  const open = reading.filter((route) => route.open).map(path);
  const kept = reading.filter((route) => !route.open).map(path);

  it("is free on loopback", async () => {
    const { port } = await running({ token: TOKEN });
    for (const one of [...open, ...kept]) expect((await listenTo({ port }, one)).status).toBe(200);
  });

  it("needs the token where other machines could read, but for probes, scrapes and the page itself", async () => {
    expect(open).toEqual(expect.arrayContaining(["/", "/metrics", "/health", "/ready"]));
    expect(kept).toEqual(
      expect.arrayContaining(["/tree", "/connections", "/state/1.17", "/events", "/config"]),
    );
    const { port } = await running({ host: "0.0.0.0", token: TOKEN });
    for (const one of open) expect([one, (await listenTo({ port }, one)).status]).toEqual([one, 200]);
    for (const one of kept) {
      expect([one, (await ask({ port }, { path: one })).status]).toEqual([one, 401]);
      expect([one, (await listenTo({ port }, one, BEARER)).status]).toEqual([one, 200]);
    }
  });
});

describe("guessing", () => {
  const wrong = (n: number) => ({ authorization: `Bearer ${String(n).padStart(32, "0")}` });

  it("locks the address out for a minute after five wrong tokens, but not the right one", async () => {
    const clock = new ManualClock();
    onTestFinished(useClock(clock));
    const admin = await running({ token: TOKEN });
    for (let n = 0; n < 5; n++) expect((await post(admin, "/stop", {}, wrong(n))).status).toBe(401);
    const locked = await post(admin, "/stop", {}, wrong(5));
    expect([locked.status, locked.headers["retry-after"]]).toEqual([429, "60"]);
    expect(locked.json.error).toBe("too many wrong tokens from this address: try again in 60 s");
    expect(admin.control.changes).toEqual([]);
    expect((await post(admin, "/stop", {}, BEARER)).status).toBe(202);
    await clock.advance(59_999);
    expect((await post(admin, "/stop", {}, wrong(6))).status).toBe(429);
    await clock.advance(1);
    expect((await post(admin, "/stop", {}, wrong(7))).status).toBe(401);
  });

  it("is forgotten after a minute", async () => {
    const clock = new ManualClock();
    onTestFinished(useClock(clock));
    const admin = await running({ token: TOKEN });
    for (let n = 0; n < 4; n++) await post(admin, "/stop", {}, wrong(n));
    await clock.advance(60_000);
    expect((await post(admin, "/stop", {}, wrong(4))).status).toBe(401);
    expect((await post(admin, "/stop", {}, BEARER)).status).toBe(202);
  });

  it("a missing token is no guess, and reading and the control socket are not locked", async () => {
    const admin = await running({ token: TOKEN });
    for (let n = 0; n < 10; n++) expect((await post(admin, "/stop", {})).status).toBe(401);
    for (let n = 0; n < 6; n++) await post(admin, "/stop", {}, wrong(n));
    expect((await post(admin, "/stop", {})).status).toBe(429);
    expect((await ask(admin, { path: "/tree" })).status).toBe(200);
    expect((await post({ socketPath: admin.socketPath }, "/stop", {})).status).toBe(202);
  });

  it("is counted where it reads as well", async () => {
    const { port } = await running({ host: "0.0.0.0", token: TOKEN });
    for (let n = 0; n < 5; n++) {
      expect((await ask({ port }, { path: "/tree", headers: wrong(n) })).status).toBe(401);
    }
    expect((await ask({ port }, { path: "/tree", headers: wrong(5) })).status).toBe(429);
    expect((await ask({ port }, { path: "/tree", headers: BEARER })).status).toBe(200);
    expect((await ask({ port }, { path: "/metrics" })).status).toBe(200);
  });
});

it("no answer and no error repeats it", async () => {
  const admin = await running({ token: TOKEN });
  const texts = await Promise.all(
    ["/", "/tree", "/info", "/config", "/stats", "/nowhere"].map((path) =>
      ask(admin, { path, headers: BEARER }),
    ),
  );
  for (const { text, headers } of texts) expect(`${text}${JSON.stringify(headers)}`).not.toContain(TOKEN);
});
