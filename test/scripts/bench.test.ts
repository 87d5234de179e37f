// The benchmark's arithmetic and what it writes. The measuring itself takes minutes and is not a test.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { Row } from "../../scripts/bench/compare/measure.js";
import { median } from "../../scripts/bench/compare/median.js";
import { cpuSeconds, memoryBytes } from "../../scripts/bench/compare/process-usage.js";
import { drawing, markdown, type Outcome } from "../../scripts/bench/compare/report.js";

const row = (load: string, server: string, cpu: number, errors = 0): Row => ({
  ...{ load, server, errors, perSecond: 100_000, p50Ms: 0.5, p99Ms: 2 },
  cpuUs: { median: cpu, least: cpu, most: cpu },
});

const outcome: Outcome = {
  ...{
    date: "2026-11-22T12:00:00.000Z",
    command: "npm run bench",
    version: "0.1.0",
    erlang: "25",
    rounds: 5,
    seconds: 2,
  },
  machine: { cpu: "Some <CPU>", cores: 2, memoryGiB: 24, system: "linux x64", node: "v20.20.2" },
  servers: [
    { name: "drover", about: "this server" },
    { name: "bare net", about: "node:net" },
  ],
  rows: [row("pipeline", "drover", 0.4), row("pipeline", "bare net", 0.5, 2)],
  idle: { connections: 10_000, bytes: { drover: 1_400, "bare net": 5_600 } },
};

describe("the benchmark", () => {
  it("takes medians", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  it("writes a table with ratios, and does not hide errors", () => {
    const table = markdown(outcome);
    expect(table).toContain("| **pipeline** | CPU µs each | 0.40 | 0.50 | 0.80 |");
    expect(table).toContain("|  | errors | 0 | 2 |  |");
    expect(table).toContain("| **idle** | bytes each | 1,400 | 5,600 | 0.25 |");
    expect(table).toContain("medians of 5 rounds of 2 s");
  });

  it("draws the very figures of the table", () => {
    const svg = drawing(outcome);
    for (const figure of ["0.40 µs", "0.50 µs", "1,400 B", "5,600 B"]) expect(svg).toContain(`>${figure}<`);
    expect(svg).toContain("Some &lt;CPU>");
    expect(svg).not.toMatch(/NaN|undefined/);
  });

  it.runIf(process.platform === "linux")("accounts for an OS process and its children", async () => {
    const burn = "while (process.cpuUsage().user < 200_000); console.log(1); setInterval(() => {}, 1e6)";
    const parent = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(burn)}], { stdio: "inherit" })`;
    const child = spawn(process.execPath, ["-e", parent], {
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await once(child.stdout, "data");
      expect(cpuSeconds(child.pid!)).toBeGreaterThan(0.05);
      expect(memoryBytes(child.pid!)).toBeGreaterThan(10 * 2 ** 20);
    } finally {
      process.kill(-child.pid!, "SIGKILL");
    }
  });
});
