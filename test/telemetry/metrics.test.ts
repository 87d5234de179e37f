import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";
import { CLOSE_REASONS, REFUSE_REASONS } from "../../src/tcp/observe/events.js";
import { Metrics } from "../../src/telemetry/metrics/metrics.js";
import {
  decodeSnapshot,
  encodeSnapshot,
  LISTENER_GAUGES,
  LISTENER_TOTALS,
  WORKER_GAUGES,
  WORKER_TOTALS,
} from "../../src/telemetry/metrics/snapshot.js";
import { seriesValue } from "./exposition.js";
import { MAIN, snapshot } from "./samples.js";

const clock = new ManualClock(5000);
let restoreClock: () => void;
let metrics: Metrics;

beforeEach(() => {
  restoreClock = useClock(clock);
  metrics = new Metrics({
    version: "0.1.0",
    node: "v20.20.2",
    listeners: [MAIN],
    transport: "stream",
    restartsLeft: { drover: 5 },
  });
});

afterEach(() => restoreClock());

const served = (accepted: number, active: number) =>
  snapshot({ totals: { accepted }, gauges: { active }, closed: { closed: accepted - active } });

it("a snapshot has a place for each name of its own: one name for two counts would show the second as both", () => {
  for (const names of [WORKER_TOTALS, WORKER_GAUGES, LISTENER_TOTALS, LISTENER_GAUGES])
    expect(new Set<string>(names).size).toBe(names.length);
});

describe("before anything has happened", () => {
  it("says what is running", async () => {
    expect(await metrics.render()).toContain(
      'drover_build_info{version="0.1.0",node="v20.20.2",transport="stream",protocol="echo"} 1\n',
    );
    expect(metrics.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  it("shows every state, reason and context at 0", async () => {
    metrics.workerState(1, "starting");
    const text = await metrics.render();
    for (const reason of CLOSE_REASONS) {
      expect(
        seriesValue(text, "drover_connections_closed_total", { worker: 1, listener: "main", reason }),
      ).toBe(0);
    }
    for (const reason of REFUSE_REASONS) {
      expect(
        seriesValue(text, "drover_connections_refused_total", { worker: 1, listener: "main", reason }),
      ).toBe(0);
    }
    for (const context of ["child_terminated", "start_error", "shutdown", "shutdown_error"]) {
      expect(seriesValue(text, "drover_supervisor_reports_total", { worker: 0, context })).toBe(0);
      expect(seriesValue(text, "drover_supervisor_reports_total", { worker: 1, context })).toBe(0);
    }
    expect(seriesValue(text, "drover_workers", { state: "starting" })).toBe(1);
    expect(seriesValue(text, "drover_workers", { state: "down" })).toBe(0);
    expect(seriesValue(text, "drover_crashes_total", { worker: 1, protocol: "echo" })).toBe(0);
    expect(seriesValue(text, "drover_restarts_left", { supervisor: "drover" })).toBe(5);
  });
});

describe("a worker", () => {
  it("is shown with what it last said", async () => {
    metrics.workerState(1, "running");
    metrics.update(
      1,
      snapshot({
        totals: {
          accepted: 7,
          framesReceived: 40,
          bytesSent: 900,
          crashes: 1,
          cpuUserSeconds: 1.5,
          supervisorStartError: 2,
        },
        gauges: {
          active: 3,
          outbound: 64,
          listenerRunning: 1,
          eventLoopLagSeconds: 0.002,
          openFds: 30,
          residentBytes: 5e7,
        },
        closed: { idle: 3, crash: 1 },
        refused: { max_connections: 9 },
      }),
    );
    const text = await metrics.render();
    const at = { worker: 1, listener: "main" };
    expect(seriesValue(text, "drover_connections_accepted_total", at)).toBe(7);
    expect(seriesValue(text, "drover_connections_active", at)).toBe(3);
    expect(seriesValue(text, "drover_connections_closed_total", { ...at, reason: "idle" })).toBe(3);
    expect(seriesValue(text, "drover_connections_refused_total", { ...at, reason: "max_connections" })).toBe(
      9,
    );
    expect(seriesValue(text, "drover_frames_received_total", at)).toBe(40);
    expect(seriesValue(text, "drover_bytes_sent_total", at)).toBe(900);
    expect(seriesValue(text, "drover_outbound_bytes", at)).toBe(64);
    expect(seriesValue(text, "drover_listener_running", at)).toBe(1);
    expect(seriesValue(text, "drover_crashes_total", { worker: 1, protocol: "echo" })).toBe(1);
    expect(seriesValue(text, "drover_supervisor_reports_total", { worker: 1, context: "start_error" })).toBe(
      2,
    );
    expect(seriesValue(text, "drover_event_loop_lag_seconds", { worker: 1 })).toBe(0.002);
    expect(seriesValue(text, "drover_open_fds", { worker: 1 })).toBe(30);
    expect(seriesValue(text, "process_cpu_user_seconds_total", { worker: 1 })).toBe(1.5);
    expect(seriesValue(text, "process_resident_memory_bytes", { worker: 1 })).toBe(5e7);
    expect(metrics.connections()).toEqual({ active: 3, accepted: 7, closed: 4 });
  });

  it("is up while it runs and sends snapshots", async () => {
    const up = async () => seriesValue(await metrics.render(), "drover_worker_up", { worker: 1 });
    metrics.workerState(1, "starting");
    expect(await up()).toBe(0);
    metrics.workerState(1, "running");
    metrics.update(1, served(1, 1));
    await clock.advance(3000);
    expect(await up()).toBe(1);
    await clock.advance(1);
    expect(await up()).toBe(0);
    expect(
      seriesValue(await metrics.render(), "drover_worker_snapshot_age_seconds", { worker: 1 }),
    ).toBeCloseTo(3.001);
    metrics.update(1, served(1, 1));
    expect(await up()).toBe(1);
    metrics.workerState(1, "stopping");
    expect(await up()).toBe(1);
    metrics.retire(1);
    expect(await up()).toBe(0);
  });

  it("that has died leaves its totals behind, and its connections count as closed", async () => {
    metrics.update(
      1,
      snapshot({
        totals: { accepted: 7, framesSent: 40 },
        gauges: { active: 3, openFds: 9 },
        closed: { idle: 4 },
      }),
    );
    metrics.retire(1);
    const text = await metrics.render();
    const at = { worker: 1, listener: "main" };
    expect(seriesValue(text, "drover_connections_accepted_total", at)).toBe(7);
    expect(seriesValue(text, "drover_connections_active", at)).toBe(0);
    expect(seriesValue(text, "drover_connections_closed_total", { ...at, reason: "idle" })).toBe(4);
    expect(seriesValue(text, "drover_connections_closed_total", { ...at, reason: "worker_died" })).toBe(3);
    expect(seriesValue(text, "drover_frames_sent_total", at)).toBe(40);
    expect(seriesValue(text, "drover_workers", { state: "down" })).toBe(1);
    expect(seriesValue(text, "drover_open_fds", { worker: 1 })).toBeUndefined();
  });

  it("that takes the place of a dead one counts on top of it", () => {
    metrics.update(1, served(7, 3));
    metrics.retire(1);
    metrics.update(1, served(2, 1));
    expect(metrics.connections()).toEqual({ active: 1, accepted: 9, closed: 8 });
    metrics.retire(1);
    metrics.retire(1);
    expect(metrics.connections()).toEqual({ active: 0, accepted: 9, closed: 9 });
  });

  it("whose numbers begin anew without notice is taken for another", () => {
    metrics.update(1, served(7, 3));
    metrics.update(1, served(2, 1));
    metrics.update(1, served(4, 1));
    expect(metrics.connections()).toEqual({ active: 1, accepted: 11, closed: 10 });
  });

  it("is not taken for another because the kernel has corrected its CPU time", async () => {
    metrics.update(1, snapshot({ totals: { accepted: 7, cpuUserSeconds: 2 }, closed: { closed: 7 } }));
    metrics.update(1, snapshot({ totals: { accepted: 7, cpuUserSeconds: 1.99 }, closed: { closed: 7 } }));
    expect(metrics.connections().accepted).toBe(7);
    expect(seriesValue(await metrics.render(), "process_cpu_user_seconds_total", { worker: 1 })).toBe(2);
  });

  it("is not counted twice when its last words arrive after its end", () => {
    const last = snapshot({
      totals: { accepted: 7 },
      closed: { closed: 7 },
      gauges: { startTimeSeconds: 1e9 },
    });
    metrics.update(1, last);
    metrics.retire(1);
    metrics.update(1, last);
    expect(metrics.connections().accepted).toBe(7);
    metrics.update(1, { ...last, gauges: { ...last.gauges, startTimeSeconds: 1e9 + 5 } });
    expect(metrics.connections().accepted).toBe(14);
  });

  it("that sends nonsense spoils no total and no scrape", async () => {
    metrics.update(1, served(7, 0));
    metrics.update(
      1,
      snapshot({
        totals: { accepted: Number.NaN, framesSent: -5 },
        gauges: { eventLoopLagSeconds: Number.NaN, maxFds: Infinity },
      }),
    );
    const text = await metrics.render();
    expect(seriesValue(text, "drover_connections_accepted_total", { worker: 1, listener: "main" })).toBe(7);
    expect(seriesValue(text, "drover_event_loop_lag_seconds", { worker: 1 })).toBe(0);
    expect(text).toContain('drover_max_fds{worker="1"} +Inf\n');
  });
});

describe("a worker's own supervisor", () => {
  it("shows its restarts and how many are left beside those of the primary", async () => {
    metrics.update(1, snapshot({ totals: { listenerRestarts: 2 }, gauges: { restartsLeft: 3 } }));
    const text = await metrics.render();
    const of = { supervisor: "tcp_server", child: "listener", worker: 1 };
    expect(seriesValue(text, "drover_supervisor_restarts_total", of)).toBe(2);
    expect(seriesValue(text, "drover_restarts_left", { supervisor: "tcp_server", worker: 1 })).toBe(3);
    expect(seriesValue(text, "drover_restarts_left", { supervisor: "drover" })).toBe(5);
  });

  it("keeps its restarts when the worker dies, and allows none while there is no worker", async () => {
    metrics.update(1, snapshot({ totals: { listenerRestarts: 2 }, gauges: { restartsLeft: 3 } }));
    metrics.retire(1);
    const text = await metrics.render();
    const of = { supervisor: "tcp_server", child: "listener", worker: 1 };
    expect(seriesValue(text, "drover_supervisor_restarts_total", of)).toBe(2);
    expect(text).not.toContain('drover_restarts_left{supervisor="tcp_server"');
  });
});

describe("a place that was removed", () => {
  it("leaves its totals, and is neither up nor down", async () => {
    metrics.workerState(1, "running");
    metrics.update(1, served(7, 3));
    metrics.retire(1);
    metrics.remove(1);
    const text = await metrics.render();
    expect(seriesValue(text, "drover_connections_accepted_total", { worker: 1, listener: "main" })).toBe(7);
    expect(seriesValue(text, "drover_workers", { state: "down" })).toBe(0);
    expect(text).not.toMatch(
      /^drover_(worker_up|worker_snapshot_age_seconds|listener_running|connections_active)\{/m,
    );
  });
});

describe("the primary", () => {
  it("shows its own numbers as worker 0", async () => {
    metrics.restarted("drover", "worker 1", 0);
    metrics.restarted("drover", "worker 2");
    metrics.restartsLeft("drover", 4);
    metrics.supervisorReport("child_terminated");
    const text = await metrics.render();
    expect(
      seriesValue(text, "drover_supervisor_restarts_total", { supervisor: "drover", child: "worker 1" }),
    ).toBe(0);
    expect(
      seriesValue(text, "drover_supervisor_restarts_total", { supervisor: "drover", child: "worker 2" }),
    ).toBe(1);
    expect(seriesValue(text, "drover_restarts_left", { supervisor: "drover" })).toBe(4);
    expect(
      seriesValue(text, "drover_supervisor_reports_total", { worker: 0, context: "child_terminated" }),
    ).toBe(1);
    expect(seriesValue(text, "process_resident_memory_bytes", { worker: 0 })).toBeGreaterThan(1e6);
    expect(seriesValue(text, "process_start_time_seconds", { worker: 0 })).toBeGreaterThan(1.6e9);
    expect(seriesValue(text, "nodejs_heap_size_used_bytes", { worker: 0 })).toBeGreaterThan(1e6);
  });

  it("folds children beyond a bound into one series, and escapes what names contain", async () => {
    for (let n = 0; n < 600; n++) metrics.restarted("drover", `child "${n}"\n`);
    const text = await metrics.render();
    expect(text).toContain('child="child \\"7\\"\\n"} 1\n');
    expect(
      seriesValue(text, "drover_supervisor_restarts_total", { supervisor: "drover", child: "other" }),
    ).toBe(100);
  });
});

describe("the text", () => {
  it.skipIf(spawnSync("promtool", ["--version"]).error)(
    "has nothing that promtool would say a word about",
    async () => {
      for (const worker of [1, 2]) {
        metrics.workerState(worker, "running");
        metrics.update(worker, served(7, 3));
      }
      metrics.restarted("drover", "worker 1");
      const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
        input: await metrics.render(),
      });
      expect(`${stdout}${stderr}`).toBe("");
      expect(status).toBe(0);
    },
  );

  it("of one registry knows nothing of another", async () => {
    metrics.update(1, served(7, 3));
    const other = new Metrics({ version: "1", listeners: [MAIN], transport: "stream" });
    expect(await other.render()).not.toContain('worker="1"');
  });
});

describe("handler latency", () => {
  const measured = snapshot({ totals: { handlers1: 3, handlers3: 2, handlers17: 1, handlerSeconds: 12.5 } });
  const options = { version: "0.1.0", listeners: [MAIN], transport: "stream" };

  it("is a histogram for each worker, whose buckets count all smaller ones as well", async () => {
    metrics = new Metrics({ ...options, handlerLatency: true });
    metrics.update(1, measured);
    const text = await metrics.render();
    expect(text).toContain("# TYPE drover_handler_seconds histogram\n");
    const at = { worker: 1, listener: "main" };
    const bucket = (le: string) => seriesValue(text, "drover_handler_seconds_bucket", { ...at, le });
    expect(["0.0001", "0.00025", "0.0005", "10", "+Inf"].map(bucket)).toEqual([3, 3, 5, 5, 6]);
    expect(seriesValue(text, "drover_handler_seconds_count", at)).toBe(6);
    expect(seriesValue(text, "drover_handler_seconds_sum", at)).toBe(12.5);
  });

  it("is not there unless it is measured", async () => {
    metrics = new Metrics(options);
    metrics.update(1, measured);
    expect(await metrics.render()).not.toContain("drover_handler_seconds");
  });
});

describe("several listeners", () => {
  const DEVICES = { name: "devices", protocol: "device", address: "[::]:2222" };
  const SECURE = { name: "secure", protocol: "device", address: "[::]:2223", tls: true, proxy: true };
  const LOCAL = { name: "local", protocol: "ops", address: "/run/acme/ops.sock" };

  beforeEach(() => {
    metrics = new Metrics({ version: "1", listeners: [DEVICES, SECURE, LOCAL], transport: "handle" });
  });

  const counted = () =>
    snapshot(
      {
        totals: { accepted: 7, crashes: 1, listenerRestarts: 2, cpuUserSeconds: 3 },
        gauges: { active: 3, restartsLeft: 4 },
        closed: { idle: 4 },
      },
      {
        totals: { accepted: 5, crashes: 2, serverRestarts: 1 },
        gauges: { active: 5, restartsLeft: 5, maxConnections: 5 },
        refused: { max_connections: 1 },
      },
      { totals: { accepted: 1 }, gauges: { active: 0 }, closed: { closed: 1 } },
    );

  it("have series of their own under their names", async () => {
    metrics.update(1, counted());
    const text = await metrics.render();
    const of = (name: string, listener: string) => seriesValue(text, name, { worker: 1, listener });
    const each = (name: string) => ["devices", "secure", "local"].map((listener) => of(name, listener));
    expect(each("drover_connections_accepted_total")).toEqual([7, 5, 1]);
    expect(each("drover_connections_active")).toEqual([3, 5, 0]);
    expect(of("drover_max_connections", "secure")).toBe(5);
    const restarts = (supervisor: string, child: string) =>
      seriesValue(text, "drover_supervisor_restarts_total", { supervisor, child, worker: 1 });
    expect(restarts("devices", "listener")).toBe(2);
    expect(restarts("listeners", "secure")).toBe(1);
    expect(restarts("tcp_server", "listener")).toBe(undefined);
    const left = (supervisor: string) => seriesValue(text, "drover_restarts_left", { supervisor, worker: 1 });
    expect(["listeners", "devices", "secure"].map(left)).toEqual([4, 4, 5]);
    // By protocol, of which two listeners have the same.
    expect(seriesValue(text, "drover_crashes_total", { worker: 1, protocol: "device" })).toBe(3);
    expect(seriesValue(text, "drover_crashes_total", { worker: 1, protocol: "ops" })).toBe(0);
    expect(text).toContain(
      'drover_listener_info{listener="secure",protocol="device",address="[::]:2223",tls="true",proxy="true"} 1\n',
    );
    expect(text).toContain(
      'drover_listener_info{listener="local",protocol="ops",address="/run/acme/ops.sock",tls="false",proxy="false"} 1\n',
    );
  });

  it("are settled together: a total of one that falls means a new OS process for all", async () => {
    metrics.update(1, counted());
    metrics.update(
      1,
      snapshot({ totals: { accepted: 7 } }, { totals: { accepted: 1 }, gauges: { active: 1 } }, {}),
    );
    expect(metrics.listenerNumbers(0)).toMatchObject({ accepted: 14, closed: 7, active: 0 });
    expect(metrics.listenerNumbers(1)).toMatchObject({ accepted: 6, closed: 5, active: 1 });
    expect(metrics.connections()).toEqual({ accepted: 21, closed: 13, active: 1 });
  });

  it("keep what a dead worker had counted, and its open connections count as worker_died", async () => {
    metrics.update(1, counted());
    metrics.retire(1);
    const text = await metrics.render();
    const died = (listener: string) =>
      seriesValue(text, "drover_connections_closed_total", { worker: 1, listener, reason: "worker_died" });
    expect(["devices", "secure", "local"].map(died)).toEqual([3, 5, 0]);
    expect(metrics.listenerNumbers(1)).toMatchObject({ accepted: 5, closed: 5, active: 0, crashes: 2 });
    expect(metrics.numbers(1)).toMatchObject({ accepted: 13, closed: 13, active: 0 });
  });

  it("cross the channel as one array, whose length is known by their number", () => {
    const sent = encodeSnapshot(counted());
    expect(decodeSnapshot(sent, 3)).toEqual(counted());
    expect(decodeSnapshot(sent, 2)).toBe(undefined);
    expect(decodeSnapshot([...sent], 3)).toBe(undefined);
  });
});
