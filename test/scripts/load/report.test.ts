// What is said about a run: what was expected of it, the table, the JSON, the page, and whether to believe it.
import { beforeAll, describe, expect, it } from "vitest";
import { Histogram } from "../../../scripts/load/both-sides/histogram.js";
import type { LoadResult } from "../../../scripts/load/both-sides/result.js";
import { parseArguments, type Settings } from "../../../scripts/load/command-line/arguments.js";
import { explain, judge, parseExpectations } from "../../../scripts/load/command-line/expectations.js";
import { ramp } from "../../../scripts/load/coordinator/capacity-ramp.js";
import { thisMachine } from "../../../scripts/load/coordinator/machine.js";
import type { Report } from "../../../scripts/load/coordinator/session.js";
import type { Point } from "../../../scripts/load/coordinator/timeline.js";
import { runLoad } from "../../../scripts/load/generator/run.js";
import { generatorLimit, machineLimit } from "../../../scripts/load/report/bottleneck.js";
import { html } from "../../../scripts/load/report/html.js";
import { json, passed } from "../../../scripts/load/report/json.js";
import { progressLine, table } from "../../../scripts/load/report/table.js";
import { echo, framed, refusedPort } from "../servers.js";

let result: LoadResult;
let faulty: LoadResult;

beforeAll(async () => {
  await using server = await echo();
  result = await runLoad({ port: server.port, connections: 2, frames: 1_000 });
  faulty = await runLoad({ port: await refusedPort(), connections: 3, frames: 3 });
});

function settings(line = ""): Settings {
  return parseArguments(line.split(" ").filter((word) => word !== ""))!;
}

const points: Point[] = [
  { second: 1, rate: 900, p50: 0.5, p99: 2, max: 8, open: 2, errors: 0, restarts: 0, cpuSeconds: 0.1 },
  {
    second: 2,
    rate: 0,
    p50: undefined,
    p99: undefined,
    max: undefined,
    open: 1,
    errors: 1,
    restarts: 1,
    cpuSeconds: 0.3,
  },
  { second: 3, rate: 1_100, p50: 0.4, p99: 3, max: 7, open: 2, errors: 1, restarts: 0, cpuSeconds: 0.4 },
];

function report(more: Partial<Report> = {}): Report {
  const base = more.result ?? result;
  return {
    ...{
      startedAt: new Date(0),
      settings: settings(),
      command: "npm run load -- --host '<b>'",
      machine: thisMachine(),
    },
    ...{
      coresBusy: 0.5,
      result: base,
      totals: base.tally,
      timeline: points,
      server: undefined,
      steps: [],
      verdicts: [],
    },
    ...more,
  };
}

const server = {
  cpu: 0.5,
  cpuSeconds: 1,
  memoryBytes: 2 ** 27,
  restarts: 0,
  accepted: 2,
  framesReceived: 1_000,
  framesSent: 1_000,
};

describe("what was expected", () => {
  it("is held against what was measured", () => {
    const list = parseExpectations(
      "expect",
      "p99<5s, max>=0ms,mean<1s,errors=0,rate>1,connections=2,hung<=0,wrong-bytes=0",
    );
    expect(judge(list, result).map(({ held }) => held)).toEqual(list.map(() => true));
    const failed = judge(parseExpectations("expect", "errors=0,connectRefused<3,rate>0"), faulty);
    expect(failed.map(({ held }) => held)).toEqual([false, false, false]);
    expect(explain(failed[0]!)).toBe("expected errors=0, but it was 3");
  });

  it("does not hold where nothing was measured", () => {
    const [verdict] = judge(parseExpectations("expect", "p99<5ms"), faulty);
    expect(verdict).toMatchObject({ held: false, actual: undefined });
    expect(explain(verdict!)).toBe("expected p99<5ms, but nothing was measured");
  });

  it("decides whether a run has passed, together with unexpected errors", () => {
    const expecting = (text: string, of: LoadResult) => {
      const expectations = parseExpectations("expect", text);
      return report({
        result: of,
        settings: { ...settings(), expect: expectations },
        verdicts: judge(expectations, of),
      });
    };
    expect(passed(report())).toBe(true);
    expect(passed(report({ result: faulty }))).toBe(false);
    expect(passed(expecting("rate>0", result))).toBe(true);
    expect(passed(expecting("rate<0", result))).toBe(false);
    expect(passed(expecting("rate=0", faulty))).toBe(false);
    expect(passed(expecting("errors=3", faulty))).toBe(true);
  });
});

describe("whether the server was measured", () => {
  const of = (cpu: number, busy = 0.5, elapsedMs = 5_000) => ({
    ...result,
    elapsedMs,
    generators: [
      { osPid: 1, cpu: 0.1, busy: 0.1 },
      { osPid: 2, cpu, busy },
    ],
  });

  it("is doubted when any generator process had hardly any time left", () => {
    expect(generatorLimit(of(0.97), "rate")).toMatch(
      /^The generator was busy 97 % of the time and may have limited the result/,
    );
    expect(generatorLimit(of(0.5, 0.98), "echo")).toMatch(/busy 98 %/);
    expect(generatorLimit(of(0.5), "echo")).toBeUndefined();
    expect(generatorLimit(of(0.97, 1, 100), "echo")).toBeUndefined();
  });

  it("is doubted when the generator did not keep its own schedule", async () => {
    await using server = await echo();
    const late = await runLoad({
      port: server.port,
      mode: "rate",
      rate: 200,
      connections: 1,
      durationMs: 600,
    });
    late.lateness.record(100, 1_000);
    late.latency.record(101, 1_000);
    expect(generatorLimit(late, "rate")).toMatch(
      /^The generator sent 1 % of its frames more than \d{3,} ms late/,
    );
    late.latency.record(5_000, 1_000);
    expect(generatorLimit(late, "rate")).toBeUndefined();
  });

  it("is qualified when all cores were busy", () => {
    expect(machineLimit(0.99, 5_000)).toMatch(/^All cores of this machine were busy \(99 %\)/);
    expect(machineLimit(0.5, 5_000)).toBeUndefined();
  });
});

describe("the table", () => {
  it("says whether both sides have counted the same", () => {
    const lines = table(report({ server }));
    expect(lines).toMatch(/server +0\.50 CPUs, 1000\.00 µs per frame, maximum 128 MiB, 0 restarts/);
    expect(lines).toContain("server and generator agree on connections and frames");
    const apart = table(report({ server: { ...server, framesSent: 990, restarts: 1 } }));
    expect(apart).toContain(
      "counts differ: frames sent 990 by the server, 1,000 by the generator (a worker that is killed",
    );
  });

  it("has a line for every second while the run goes on", () => {
    expect(progressLine(points[0]!, "frames").replace(/ +/g, " ").trim()).toBe(
      "1 s 900 frames/s p99 2 ms 2 open 0 errors",
    );
    expect(progressLine(points[1]!, "frames")).toMatch(/p99 - .* 1 error +1 restart$/);
  });
});

describe("the JSON", () => {
  it("has everything that the table has, and HdrHistogram's own form", () => {
    const value = JSON.parse(json(report({ server })));
    expect(value).toMatchObject({
      ok: true,
      frames: { sent: 1_000, echoed: 1_000 },
      countsAgree: true,
      wrongBytes: 0,
    });
    expect(value.latencyMs["p99.99"]).toBeGreaterThanOrEqual(value.latencyMs.p99);
    expect(value.latencyHistogram.data.length).toBeGreaterThan(50);
    expect(value.timeline).toHaveLength(3);
    expect(JSON.parse(json(report({ server: { ...server, accepted: 3 } }))).countsAgree).toBe(false);
  });
});

describe("the page", () => {
  it("needs nothing but itself", () => {
    const page = html(report({ server }));
    expect(page).not.toMatch(/<script|<link|src=|url\(|@import/);
    expect(page.match(/https?:[^"'\s<]*/g) ?? []).toEqual([]);
    expect(page).toContain("--host '&lt;b>'");
    expect(page.match(/<svg[^>]*aria-label="[^"]+"/g)).toHaveLength(5);
  });

  it("marks restarts and errors, and leaves a gap where nothing came back", () => {
    const page = html(report({ server: { ...server, restarts: 1 } }));
    expect(page).toContain("1 worker restart of the server");
    expect(page).toContain("<title>restart, errors</title>");
    expect(page).toMatch(/<path class="series"[^>]*d="M[\d.,]+h0\.01M[\d.,]+h0\.01"/);
  });

  it("can be made of a run in which nothing at all worked", () => {
    const page = html(report({ result: faulty, timeline: [] }));
    expect(page).toContain("Failed.");
    expect(page).toContain("3 connect refused");
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    expect(table(report({ result: faulty }))).toContain("none: no frame was echoed");
  });
});

describe("mode ramp", () => {
  const asked = settings("--mode ramp --from 100 --until p99<10ms,errors=0");
  const runs = async (limit: number) => {
    const rates: number[] = [];
    const { steps } = await ramp(
      asked,
      async ({ rate = 0 }) => {
        rates.push(rate);
        const latency = new Histogram();
        latency.record(rate > limit ? 50 : 1);
        return { ...result, latency, measured: rate, elapsedMs: 1_000 };
      },
      new AbortController().signal,
    );
    return { rates, steps };
  };

  it("doubles the rate until it breaks, then halves the gap", async () => {
    const { rates, steps } = await runs(1_100);
    expect(rates).toEqual([100, 200, 400, 800, 1_600, 1_200, 1_000, 1_100, 1_150]);
    expect(steps.findLast(({ held }) => held)?.rate).toBe(1_100);
    expect(steps.find(({ held }) => !held)?.why).toEqual(["expected p99<10ms, but it was 50 ms"]);
    const lines = table(report({ settings: asked, steps }));
    expect(lines).toContain("capacity      1,100 frames/s with p99<10ms, errors=0");
    expect(html(report({ settings: asked, steps }))).toContain("Capacity: 1,100 frames/s");
  });

  it("says so when the first rate is too much", async () => {
    const { rates, steps } = await runs(50);
    expect(rates).toEqual([100]);
    expect(table(report({ settings: asked, steps }))).toContain("capacity      below 100 frames/s");
    expect(passed(report({ settings: asked, steps }))).toBe(false);
  });

  it("does not count a rate that was not reached, however quick the answers were", async () => {
    const { steps } = await ramp(
      asked,
      async () => ({ ...(await slow()), elapsedMs: 1_000 }),
      new AbortController().signal,
    );
    expect(steps[0]!.why.join("\n")).toMatch(/^only \d+ of 100 frames\/s were echoed in time/m);
  });

  async function slow(): Promise<LoadResult> {
    await using server = await framed((socket, frame) => void socket.write(frame));
    return await runLoad({ port: server.port, connections: 1, frames: 10 });
  }
});
