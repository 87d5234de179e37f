/** Scrapes of the built program: every series by name, type and labels, also while a worker is stopped or killed. */
import { readdirSync, statSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { CLOSE_REASONS, REFUSE_REASONS } from "../../../src/tcp/observe/events.js";
import { post } from "../../admin/support.js";
import { http, metric, metricNow, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { isStopped } from "../../support/os-processes.js";
import { endAll, type Served, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const LISTENER = ["worker", "listener"];
/** Dashboards depend on these names. */
const CONTRACT: Readonly<Record<string, readonly [type: string, labels: readonly string[]]>> = {
  drover_build_info: ["gauge", ["version", "node", "transport", "protocol"]],
  drover_workers: ["gauge", ["state"]],
  drover_worker_up: ["gauge", ["worker"]],
  drover_worker_snapshot_age_seconds: ["gauge", ["worker"]],
  drover_supervisor_restarts_total: ["counter", ["supervisor", "child", "worker?"]],
  drover_supervisor_reports_total: ["counter", ["worker", "context"]],
  drover_worker_start_failures_total: ["counter", ["worker"]],
  drover_accept_queue: ["gauge", ["listener"]],
  drover_accept_queue_overflows_total: ["counter", []],
  drover_restarts_left: ["gauge", ["supervisor", "worker?"]],
  drover_listener_running: ["gauge", LISTENER],
  drover_connections_active: ["gauge", LISTENER],
  drover_listener_info: ["gauge", ["listener", "protocol", "address", "tls", "proxy"]],
  drover_max_connections: ["gauge", LISTENER],
  drover_worker_max_connections: ["gauge", ["worker"]],
  drover_connections_accepted_total: ["counter", LISTENER],
  drover_connections_closed_total: ["counter", [...LISTENER, "reason"]],
  drover_connections_refused_total: ["counter", [...LISTENER, "reason"]],
  drover_frames_received_total: ["counter", LISTENER],
  drover_frames_sent_total: ["counter", LISTENER],
  drover_bytes_received_total: ["counter", LISTENER],
  drover_bytes_sent_total: ["counter", LISTENER],
  drover_listener_rate_limited_seconds_total: ["counter", LISTENER],
  drover_reads_paused_total: ["counter", LISTENER],
  drover_outbound_bytes: ["gauge", LISTENER],
  drover_crashes_total: ["counter", ["worker", "protocol"]],
  drover_messages_dropped_total: ["counter", LISTENER],
  drover_unhandled_rejections_total: ["counter", ["worker"]],
  drover_event_loop_lag_seconds: ["gauge", ["worker"]],
  drover_log_lines_dropped_total: ["counter", ["worker"]],
  drover_channel_messages_dropped_total: ["counter", ["worker", "direction"]],
  drover_open_fds: ["gauge", ["worker"]],
  drover_max_fds: ["gauge", ["worker"]],
  process_cpu_user_seconds_total: ["counter", ["worker"]],
  process_cpu_system_seconds_total: ["counter", ["worker"]],
  process_cpu_seconds_total: ["counter", ["worker"]],
  process_resident_memory_bytes: ["gauge", ["worker"]],
  process_start_time_seconds: ["gauge", ["worker"]],
  process_open_fds: ["gauge", ["worker"]],
  process_max_fds: ["gauge", ["worker"]],
  nodejs_eventloop_lag_seconds: ["gauge", ["worker"]],
  nodejs_heap_size_used_bytes: ["gauge", ["worker"]],
  nodejs_heap_size_total_bytes: ["gauge", ["worker"]],
  nodejs_external_memory_bytes: ["gauge", ["worker"]],
};
/** Possible values of each label: input of clients creates no series. */
const CLOSED: Readonly<Record<string, RegExp>> = {
  worker: /^[012]$/,
  listener: /^main$/,
  protocol: /^echo$/,
  state: /^(starting|running|stopping|down)$/,
  context: /^(child_terminated|start_error|shutdown|shutdown_error)$/,
  supervisor: /^(drover|tcp_server)$/,
  child: /^(admin|worker [12]|connections|listener)$/,
  direction: /^(to|from)$/,
  reason: new RegExp(`^(${[...CLOSE_REASONS, ...REFUSE_REASONS].join("|")})$`),
};
/** Scrapes until the text fits. */
const scraped = (fits: (text: string) => boolean): Promise<string> =>
  eventually(async () => {
    const { status, body } = await http(adminPort, "/metrics");
    return status === 200 && fits(body) && body;
  });

/** One server for all tests, in order. */
let served: Served;
let adminPort = 0;
let port = 0;
beforeAll(async () => {
  // The watchdog would end the stop of a worker.
  served = await serveProgram(["--workers=2", "--watchdog=0"]);
  ({ adminPort, port } = served);
  await scraped((text) => series(text, "drover_worker_up") === 2);
});
afterAll(endAll);

const clients: FrameClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.end();
  // Not as of the last report: that may be from before they came.
  await eventually(async () => (await metricNow(adminPort, "drover_connections_active")) === 0);
});

/** Clients that end with the test. */
async function come(count: number): Promise<FrameClient[]> {
  const come = await Promise.all(Array.from({ length: count }, () => FrameClient.connect(port)));
  clients.push(...come);
  return come;
}

test("every series of the contract is there, with its type, its help and its labels", async () => {
  const { body } = await http(adminPort, "/metrics");
  for (const [name, [type]] of Object.entries(CONTRACT)) {
    expect(body).toMatch(new RegExp(`^# HELP ${name} \\S.*\\.\\n# TYPE ${name} ${type}$`, "m"));
  }
  for (const line of body.split("\n")) {
    const [, name = "", labels = ""] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    const wanted = CONTRACT[name]?.[1];
    if (!wanted) continue;
    const given = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value] as const);
    const least = wanted.filter((label) => !label.endsWith("?"));
    expect([least, wanted.map((label) => label.replace("?", ""))], line).toContainEqual(
      given.map(([label]) => label),
    );
    for (const [label, value] of given) expect(value, line).toMatch(CLOSED[label as string] ?? /./);
  }
  const others = [...body.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name as string);
  expect(others.filter((name) => !(name in CONTRACT) && !/^(drover|process|nodejs)_/.test(name))).toEqual([]);
});

test("once it is quiet, every scrape has accepted = active + closed, and the exact counts", async () => {
  const clients = await come(12);
  for (const client of clients) expect(await client.ask("12345678")).toBe("12345678");
  for (const client of clients.slice(0, 5)) client.end();
  // The reports of two workers are of two moments: 7 may also be open while the others have not come.
  const text = await scraped(
    (text) =>
      series(text, "drover_connections_closed_total") === 5 &&
      series(text, "drover_connections_active") === 7 &&
      series(text, "drover_frames_sent_total") === 12,
  );
  expect(series(text, "drover_connections_accepted_total")).toBe(12);
  expect(series(text, "drover_frames_received_total")).toBe(12);
  expect(series(text, "drover_bytes_received_total")).toBe(120);
  expect(series(text, "drover_bytes_sent_total")).toBe(120);
});

test("metrics of now count what has just happened", async () => {
  const sent = async () => (await metricNow(adminPort, "drover_frames_sent_total")) ?? 0;
  const before = await sent();
  const [client] = await come(1);
  for (let echoed = 1; echoed <= 20; echoed++) {
    await client?.ask("hello");
    expect(await sent()).toBe(before + echoed);
  }
});

// Kernels before 6.2 do not count open descriptors; there they are derived from the connections.
test.skipIf(statSync("/proc/self/fd").size === 0)(
  "open descriptors are those that the kernel counts",
  async () => {
    const { program } = served;
    await come(10);
    await scraped((text) =>
      program.workers().every((osPid, at) => {
        const open = readdirSync(`/proc/${osPid}/fd`).length;
        return series(text, "drover_open_fds", { worker: String(at + 1) }) === open;
      }),
    );
  },
);

test("sixty scrapes at once are all answered while clients are served", async () => {
  const [client] = await come(1);
  const flood = Array.from({ length: 60 }, () => http(adminPort, "/metrics"));
  for (let n = 0; n < 20; n++) expect(await client?.ask(`frame ${n}`)).toBe(`frame ${n}`);
  for (const { status, body } of await Promise.all(flood)) {
    expect(status).toBe(200);
    expect(series(body, "drover_worker_up")).toBe(2);
  }
});

test("clients that wait in the accept queue are counted by listener, and no longer once they are accepted", async () => {
  const waiting = () => metric(adminPort, "drover_accept_queue", { listener: "main" });
  expect(await waiting()).toBe(0);
  await post({ socketPath: served.control }, "/suspend", {});
  const clients = await come(7);
  await eventually(async () => (await waiting()) === 7);
  await post({ socketPath: served.control }, "/resume", {});
  for (const client of clients) expect(await client.ask("hello")).toBe("hello");
  await eventually(async () => (await waiting()) === 0);
});

describe("a worker that", () => {
  test("is stopped does not hold up a scrape, which says how old its numbers are", async () => {
    const { program } = served;
    const frames = ((await metricNow(adminPort, "drover_frames_received_total")) ?? 0) + 8;
    for (const client of await come(8)) await client.ask("hello");
    const before = await scraped((text) => series(text, "drover_frames_received_total") === frames);
    const [worker] = program.workers() as [number];
    process.kill(worker, "SIGSTOP");
    try {
      // Numbers of now wait for it for a second, and say that it has not answered.
      await eventually(() => isStopped(worker));
      const { body } = await http(adminPort, "/metrics/now");
      expect(body).toMatch(/^# worker 1 has not answered within a second: /m);
      const stopped = await scraped(
        (text) => (series(text, "drover_worker_snapshot_age_seconds", { worker: "1" }) ?? 0) > 3,
      );
      expect(series(stopped, "drover_worker_up", { worker: "1" })).toBe(0);
      expect(series(stopped, "drover_worker_up", { worker: "2" })).toBe(1);
      const age = (worker: string) => series(stopped, "drover_worker_snapshot_age_seconds", { worker }) ?? 0;
      expect(age("2")).toBeLessThan(age("1"));
      // Its last numbers stay; the other worker goes on.
      for (const name of ["connections_active", "frames_received_total", "connections_accepted_total"])
        expect(series(stopped, `drover_${name}`), name).toBe(series(before, `drover_${name}`));
      expect((await http(adminPort, "/metrics")).status).toBe(200);
      expect(isStopped(worker)).toBe(true);
    } finally {
      process.kill(worker, "SIGCONT");
    }
  });

  test("is killed while scrapes are under way fails none of them, and no total falls", async () => {
    const { program } = served;
    const frames = ((await metricNow(adminPort, "drover_frames_received_total")) ?? 0) + 8;
    for (const client of await come(8)) await client.ask("hello");
    await scraped((text) => series(text, "drover_frames_received_total") === frames);
    const victim = program.workers()[0] as number;
    const scrapes = Array.from({ length: 20 }, async (_, n) => {
      if (n === 10) process.kill(victim, "SIGKILL");
      const { status, body } = await http(adminPort, "/metrics");
      return { status, received: series(body, "drover_frames_received_total") };
    });
    for (const { status, received } of await Promise.all(scrapes)) {
      expect(status).toBe(200);
      expect(received).toBe(frames);
    }
    const after = await scraped(
      (text) =>
        series(text, "drover_supervisor_restarts_total", { child: "worker 1" }) === 1 &&
        series(text, "drover_worker_up") === 2,
    );
    expect(series(after, "drover_frames_received_total")).toBe(frames);
    expect(series(after, "drover_connections_accepted_total")).toBe(
      (series(after, "drover_connections_active") ?? 0) +
        (series(after, "drover_connections_closed_total") ?? 0),
    );
    expect(series(after, "drover_restarts_left", { supervisor: "drover" })).toBe(4);
  });
});
