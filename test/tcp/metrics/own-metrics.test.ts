/** Metrics and close reasons of a protocol: what they count, what they refuse, and what `/metrics` shows of them. */
import { expect, test } from "vitest";
import { counter, defineProtocol, gauge, histogram, packet, stop } from "../../../src/index.js";
import { OwnNumbers } from "../../../src/tcp/metrics/own-numbers.js";
import { Counters } from "../../../src/tcp/observe/counters.js";
import { validateProtocol } from "../../../src/tcp/protocol/validate/validate.js";
import { Metrics } from "../../../src/telemetry/metrics/metrics.js";
import { connected, serving } from "../../support/serving.js";
import { until } from "../../support/until.js";
import { snapshot } from "../../telemetry/samples.js";

function tracker() {
  return defineProtocol({
    name: "my-tracker",
    framing: packet(2),
    metrics: {
      logins: counter("Logins", { result: ["ok", "bad"], via: ["tcp", "tls"] }),
      openSessions: gauge("Open sessions"),
      rows: histogram("Rows of a batch", [1, 10]),
    },
    reasons: ["no_login", "bad_crc"],
    states: { ready: { frame: (_conn, frame) => stop(frame.toString() as "no_login") } },
  });
}

test("a series is counted at its place; values that are not declared are `other`", () => {
  const { logins, openSessions, rows } = tracker().metrics as NonNullable<
    ReturnType<typeof tracker>["metrics"]
  >;
  logins.inc({ result: "ok", via: "tls" });
  logins.inc({ result: "ok", via: "tls" }, 2);
  logins.of({ result: "bad", via: "tcp" }).inc();
  for (const hostile of ["__proto__", "constructor", "x".repeat(9_999), undefined, { toString: () => "ok" }])
    logins.inc({ result: hostile, via: "tcp" } as never);
  expect(logins.value({ result: "ok", via: "tls" })).toBe(3);
  expect(logins.value({ result: "bad", via: "tcp" })).toBe(1);
  expect(logins.value({ result: "other", via: "tcp" } as never)).toBe(5);
  expect(() => logins.inc({ result: "ok", via: "tls" }, -1)).toThrow("a counter only grows, got -1");
  openSessions.inc();
  openSessions.set(5);
  openSessions.dec(2);
  expect(openSessions.value()).toBe(3);
  for (const value of [0.5, 1, 7, 99]) rows.observe(value);
  expect(rows.count()).toBe(4);
  expect(() => rows.observe(Number.NaN)).toThrow("a histogram observes numbers, got NaN");
});

test("/metrics sums them over workers; counters stay when a worker dies, gauges go", async () => {
  const workers = [1, 2].map(() => {
    const protocol = tracker();
    const counters = new Counters();
    return { protocol, counters, own: new OwnNumbers([{ protocols: [protocol], counters }]) };
  });
  const [one, two] = workers as [(typeof workers)[0], (typeof workers)[0]];
  const listener = { name: "main", protocol: "my-tracker", address: "" };
  const metrics = new Metrics({
    version: "0",
    transport: "handle",
    listeners: [listener],
    own: one.own.layout,
  });
  one.protocol.metrics?.logins.inc({ result: "ok", via: "tcp" });
  one.protocol.metrics?.rows.observe(7);
  one.counters.own.no_login = 2;
  for (const { protocol } of workers) protocol.metrics?.openSessions.set(4);
  two.protocol.metrics?.logins.inc({ result: "ok", via: "tcp" }, 5);
  const send = (at: 0 | 1) => {
    const own = workers[at]?.own.take();
    metrics.update(at + 1, { ...snapshot({ closed: { stopped: at === 0 ? 3 : 0 } }), own });
  };
  send(0);
  send(1);
  const text = await metrics.render();
  expect(text).toContain('my_tracker_logins_total{result="ok",via="tcp"} 6\n');
  expect(text).toContain('my_tracker_logins_total{result="bad",via="tls"} 0\n');
  expect(text).not.toContain('result="other"');
  expect(text).toContain(
    "# HELP my_tracker_open_sessions Open sessions\n# TYPE my_tracker_open_sessions gauge\n",
  );
  expect(text).toContain("my_tracker_open_sessions 8\n");
  expect(text).toContain('my_tracker_rows_bucket{le="1"} 0\nmy_tracker_rows_bucket{le="10"} 1\n');
  expect(text).toContain("my_tracker_rows_sum 7\nmy_tracker_rows_count 1\n");
  const closed = (reason: string, worker = 1) =>
    `drover_connections_closed_total{worker="${worker}",listener="main",reason="${reason}"}`;
  expect(text).toContain(`${closed("no_login")} 2\n`);
  expect(text).toContain(`${closed("bad_crc")} 0\n`);
  expect(text).toContain(`${closed("stopped")} 1\n`);
  expect(metrics.reasons().closedBy).toEqual({ no_login: 2, stopped: 1 });
  metrics.retire(1);
  const after = await metrics.render();
  expect(after).toContain('my_tracker_logins_total{result="ok",via="tcp"} 6\n');
  expect(after).toContain("my_tracker_open_sessions 4\n");
  expect(after).toContain(`${closed("no_login")} 2\n`);
  one.protocol.metrics?.logins.inc({ result: "ok", via: "tcp" });
  one.counters.own.no_login = 0;
  metrics.workerState(1, "running");
  send(0);
  expect(await metrics.render()).toContain('my_tracker_logins_total{result="ok",via="tcp"} 8\n');
});

test("stop with a reason of the protocol is counted under it, others as stopped", async () => {
  const server = await serving(tracker());
  for (const reason of ["no_login", "bad_crc", "no_login", "whatever"])
    await (await connected(server)).send(reason).close();
  await until(() => server.counters.active === 0 && server.counters.accepted === 4);
  expect(server.counters.own).toEqual({ no_login: 2, bad_crc: 1 });
  expect(server.counters.closed.stopped).toBe(4);
});

const right = { name: "right", framing: packet(2), states: { s: {} } };
const wrong: [more: object, says: string][] = [
  [{ metrics: [] }, '"metrics" must be an object of metrics by name, such as metrics: { logins: counter('],
  [{ metrics: { Logins: gauge("x") } }, 'must be a word such as "logins", got "Logins"'],
  [{ metrics: { logins: 1 } }, "metrics.logins must be made by counter, gauge or histogram"],
  [{ name: "process", metrics: { logins: gauge("x") } }, "would begin as those of the program: rename it"],
  [{ reasons: "no_login" }, '"reasons" must be a list of at most 32 words'],
  [
    { reasons: ["No login"] },
    'a reason must be a word such as "no_login" (a to z, 0 to 9, _), got "No login"',
  ],
  [{ reasons: ["idle"] }, '"idle" is a reason of drover, which is counted anyway: remove it from "reasons"'],
];

test.for(wrong)("defineProtocol refuses %j", ([more, says]) => {
  expect(() => validateProtocol({ ...right, ...more } as never)).toThrow(says);
});

const many = Array.from({ length: 40 }, (_, at) => `v${at}`);
const unmakeable: [make: () => unknown, says: string][] = [
  [
    () => counter("" as never),
    'counter: the first argument is its help text, such as counter("Logins by result")',
  ],
  [
    () => counter("x", ["result"] as never),
    'labels must be an object with all values of each, such as { result: ["ok"',
  ],
  [() => counter("x", { le: ["a"] }), 'the name of a label must be a word such as "result", got "le"'],
  [() => counter("x", { result: [] }), 'the label "result" must list all its values'],
  [
    () => counter("x", { result: ["a", "other"] }),
    'and none is "other", which stands for all that are not listed',
  ],
  [() => gauge("x", { a: many, b: many }), "its labels make 1681 series, and 1000 are the most"],
  [() => histogram("x", [2, 1]), "the buckets must be 1 to 50 ascending numbers"],
];

test.for(unmakeable)("%s is refused", ([make, says]) => {
  expect(make).toThrow(says);
});
