/** Answers that do not end: what is told, to how many, and what becomes of those who read too slowly. */
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { MAX_STREAMS } from "../../src/admin/streams/event-streams.js";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";
import { until } from "../support/until.js";
import { ask, BEARER, listenTo, running, TOKEN } from "./support.js";

const RECORD = { level: "warn", time: "2026-11-22T16:08:22.879Z", worker: 1, msg: "full" };
const FRAME = {
  at: 1_795_000_000_000,
  pid: "<1.17>",
  what: "frame_in",
  length: 2,
  hex: "6869",
  text: "hi",
} as const;

function manualClock(): ManualClock {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  return clock;
}

describe("/events", () => {
  it("tells the numbers at once, and then each second by one timer for all", async () => {
    const clock = manualClock();
    const admin = await running();
    let looks = 0;
    const stats = admin.control.stats();
    admin.control.stats = () => ({ ...stats, at: ++looks });
    const [first, second] = [await listenTo(admin, "/events"), await listenTo(admin, "/events")];
    await until(() => first.events.length === 1 && second.events.length === 1);
    await clock.advance(2_000);
    await until(() => first.events.length === 3 && second.events.length === 3);
    expect(first.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(first.events.map(({ event, data }) => [event, data.at])).toEqual([
      ["stats", 1],
      ["stats", 3],
      ["stats", 4],
    ]);
    expect(second.events.map(({ data }) => data.at)).toEqual([2, 3, 4]);
  });

  it("has no timer for readings any more when no client listens", async () => {
    const clock = manualClock();
    const admin = await running();
    // The control socket is looked for each second.
    const before = clock.pending;
    const heard = await listenTo(admin, "/events");
    await until(() => heard.events.length === 1 && admin.control.followers.size === 1);
    expect(clock.pending).toBeGreaterThan(before);
    heard.close();
    await until(() => admin.control.followers.size === 0);
    expect(clock.pending).toBe(before);
  });

  it("tells what is logged, what came before first", async () => {
    const admin = await running();
    admin.control.past = [{ ...RECORD, msg: "before" }];
    const heard = await listenTo(admin, "/events");
    await until(() => admin.control.followers.size === 1);
    admin.control.logged(RECORD);
    await until(() => heard.events.filter(({ event }) => event === "record").length === 2);
    const records = heard.events.filter(({ event }) => event === "record");
    expect(records.map(({ data }) => data)).toEqual([{ ...RECORD, msg: "before" }, RECORD]);
  });

  it("breaks its silence every 15 seconds", async () => {
    const clock = manualClock();
    const admin = await running();
    const heard = await listenTo(admin, "/trace/1.17");
    await clock.advance(15_000);
    await until(() => heard.text === ": ping\n\n");
    await clock.advance(15_000);
    await until(() => heard.text === ": ping\n\n: ping\n\n");
  });

  it("a line end in a record forges no event", async () => {
    const admin = await running();
    const heard = await listenTo(admin, "/events");
    await until(() => admin.control.followers.size === 1);
    const msg = "a\n\nevent: stats\r\ndata: {}\n\n\u2028";
    admin.control.logged({ ...RECORD, msg });
    await until(() => heard.events.length === 2);
    expect(heard.events[1]).toEqual({ event: "record", data: { ...RECORD, msg } });
  });
});

describe("/trace", () => {
  it("tells what the process does, and ends with it", async () => {
    const admin = await running();
    const heard = await listenTo(admin, "/trace/1.17");
    admin.control.traced(FRAME);
    admin.control.traced({ at: 1, pid: "<1.17>", what: "end", text: "normal" });
    await until(() => heard.ended);
    expect(heard.events).toEqual([
      { event: "trace", data: FRAME },
      { event: "trace", data: { at: 1, pid: "<1.17>", what: "end", text: "normal" } },
    ]);
    await until(() => admin.control.tracers.size === 0);
  });

  it("ends the trace when its reader goes", async () => {
    const admin = await running();
    const heard = await listenTo(admin, "/trace/1.17");
    expect(admin.control.tracers.size).toBe(1);
    heard.close();
    await until(() => admin.control.tracers.size === 0);
  });

  it.each([
    ["/trace/9.9", 404, "no process <9.9>"],
    ["/trace/primary", 400, "not a pid: a pid looks like <1.17>"],
    ["/trace/1.17?limit=1", 400, 'unknown query name "limit"'],
  ])("%s is %d", async (path, status, error) => {
    const admin = await running();
    expect(await ask(admin, { path })).toMatchObject({ status, json: { error } });
    expect(admin.control.tracers.size).toBe(0);
  });
});

it("a HEAD of a stream is its headers, and begins nothing", async () => {
  const admin = await running();
  for (const path of ["/events", "/trace/1.17"]) {
    const { status, headers, text } = await ask(admin, { method: "HEAD", path });
    expect([status, headers["content-type"], text]).toEqual([200, "text/event-stream; charset=utf-8", ""]);
  }
  expect([admin.control.followers.size, admin.control.tracers.size]).toEqual([0, 0]);
});

it("of a hundred viewers sixteen are served, and the control socket stays open", async () => {
  const admin = await running();
  for (let n = 0; n < MAX_STREAMS; n++) expect((await listenTo(admin, "/events")).status).toBe(200);
  // Connections are limited as well: only so many at a time as there is room for.
  for (let left = 100 - MAX_STREAMS; left > 0; left -= 21) {
    const paths = Array.from({ length: 21 }, (_, n) => (n % 2 === 0 ? "/events" : "/trace/1.17"));
    const refused = await Promise.all(paths.map((path) => ask(admin, { path })));
    for (const { status, headers, json } of refused) {
      expect([status, headers["retry-after"]]).toEqual([503, "5"]);
      expect(json.error).toBe("too many event streams: 16 are open: close one");
    }
  }
  expect([admin.control.followers.size, admin.control.tracers.size]).toEqual([MAX_STREAMS, 0]);
  expect((await listenTo({ socketPath: admin.socketPath }, "/events")).status).toBe(200);
  expect((await ask(admin, { path: "/health" })).status).toBe(200);
});

it("there is room again when one has gone", async () => {
  const admin = await running();
  const all = await Promise.all(Array.from({ length: MAX_STREAMS }, () => listenTo(admin, "/events")));
  all[0]?.close();
  await until(() => admin.control.followers.size === MAX_STREAMS - 1);
  expect((await listenTo(admin, "/events")).status).toBe(200);
});

it("a viewer that does not read is dropped, and the others go on", async () => {
  const admin = await running();
  const quick = await listenTo(admin, "/events");
  const slow = connect(admin.port, "127.0.0.1", () => {
    slow.pause();
    slow.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  });
  slow.on("error", () => {});
  onTestFinished(() => void slow.destroy());
  await until(() => admin.control.followers.size === 2);
  const large = { ...RECORD, msg: "x".repeat(64 * 1024) };
  let told = 0;
  await until(() => {
    admin.control.logged(large);
    told++;
    return admin.control.followers.size === 1;
  });
  // What the kernel holds for it is not ours; beyond that nothing was kept.
  expect(told).toBeLessThan(1_000);
  await until(() => quick.events.filter(({ event }) => event === "record").length === told);
});

it("closing the server ends its streams at once", async () => {
  manualClock();
  const admin = await running({ token: TOKEN });
  const heard = await listenTo(admin, "/events", BEARER);
  await until(() => heard.events.length === 1);
  await admin.close();
  await until(() => heard.ended);
  expect([admin.control.followers.size]).toEqual([0]);
});
