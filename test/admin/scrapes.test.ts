/** A flood of scrapes costs as much as one a second, and hostile labels stay labels. */
import { expect, it, onTestFinished } from "vitest";
import { CachedAnswer } from "../../src/admin/http/cached-answer.js";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";
import { Metrics } from "../../src/telemetry/metrics/metrics.js";
import { until } from "../support/until.js";
import { samplesOf, seriesValue } from "../telemetry/exposition.js";
import { ask, running } from "./support.js";

it("scrapes at the same time share one rendering", async () => {
  onTestFinished(useClock(new ManualClock()));
  const admin = await running();
  let done = (): void => {};
  admin.control.rendering = new Promise((resolve) => (done = resolve));
  const scrapes = Array.from({ length: 30 }, () => ask(admin, { path: "/metrics" }));
  await until(() => admin.control.rendered === 1);
  done();
  const answers = await Promise.all(scrapes);
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(
    new Set(["200 drover_connections_active 2\n"]),
  );
  expect(admin.control.rendered).toBe(1);
});

it("all scrapes of one second get the same text, on the TCP port and the control socket", async () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const admin = await running();
  for (let n = 0; n < 20; n++) await ask(admin, { path: "/metrics" });
  await ask({ socketPath: admin.socketPath }, { path: "/metrics" });
  expect(admin.control.rendered).toBe(1);
  await clock.advance(1_000);
  await ask(admin, { path: "/metrics" });
  expect(admin.control.rendered).toBe(2);
});

it("metrics of now are rendered for each request, and do not change what scrapes get", async () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const admin = await running();
  await ask(admin, { path: "/metrics" });
  for (let n = 1; n <= 3; n++) {
    const { status, text } = await ask(admin, { path: "/metrics/now" });
    expect([status, text, admin.control.rendered]).toEqual([200, "drover_connections_active 2\n", 1 + n]);
  }
  await ask(admin, { path: "/metrics" });
  expect(admin.control.rendered).toBe(4);
});

it("an answer that is not kept is still made once for all that wait for it", async () => {
  const made: ((text: string) => void)[] = [];
  const answer = new CachedAnswer<string>(() => new Promise((resolve) => made.push(resolve)), 0);
  const waiting = Promise.all([answer.get(), answer.get(), answer.get()]);
  made[0]?.("first");
  expect(await waiting).toEqual(["first", "first", "first"]);
  const next = answer.get();
  made[1]?.("second");
  expect([await next, made.length]).toEqual(["second", 2]);
});

it("a failed rendering is not kept", async () => {
  const admin = await running();
  admin.control.failure = new Error("no");
  expect((await ask(admin, { path: "/metrics" })).status).toBe(500);
  admin.control.failure = undefined;
  expect((await ask(admin, { path: "/metrics" })).status).toBe(200);
});

it("a label with a quote, a backslash, a line end or any script comes out as one label", async () => {
  const admin = await running();
  const protocol = 'a"b\\c\nd 漢 {x="1"} 9';
  const metrics = new Metrics({
    version: "1",
    listeners: [{ name: "main", protocol, address: "[::]:2222" }],
    transport: "stream",
  });
  for (let n = 0; n < 5_000; n++) metrics.restarted("drover", `child ${n}`);
  admin.control.metrics = () => metrics.render();
  const { text } = await ask(admin, { path: "/metrics" });
  const [build] = samplesOf(text).filter(({ name }) => name === "drover_build_info");
  expect(build?.labels).toContain('protocol="a\\"b\\\\c\\nd 漢 {x=\\"1\\"} 9"');
  expect(samplesOf(text).length).toBeLessThan(2_000);
  const other = { supervisor: "drover", child: "other" };
  expect(seriesValue(text, "drover_supervisor_restarts_total", other)).toBe(4_500);
});
