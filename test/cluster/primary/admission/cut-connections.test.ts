/** Log lines of connections that a deadline has cut: how many, and the first 20 of them. */
import { expect, test } from "vitest";
import {
  logCutConnections,
  MAX_LOGGED,
} from "../../../../src/cluster/primary/admission/connections/cut-connections.js";
import type { Log } from "../../../../src/telemetry/log/log.js";
import { row } from "../../../admin/fake-control.js";

function logged(count: number): string[] {
  const lines: string[] = [];
  const warn = (message: string, fields?: object) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const rows = Array.from({ length: count }, (_, at) => row(at + 10, "talking", `10.0.0.7:${at}`));
  logCutConnections({ warn } as Log, "drain deadline reached", rows, count);
  return lines;
}

test("names each connection with its state and how long it was idle", () => {
  const [summary, one, ...more] = logged(1);
  expect(summary).toBe('drain deadline reached: 1 connection told to stop {"cut":1,"listed":1}');
  expect(one).toContain("connection cut at the deadline: 10.0.0.7:0, state talking, idle 12s");
  expect(one).toContain('{"pid":"<1.10>","listener":"main","state":"talking","peer":"10.0.0.7:0"');
  expect(more).toEqual([]);
});

test("of many it names the first 20", () => {
  const lines = logged(1_000);
  expect(lines).toHaveLength(1 + MAX_LOGGED);
  expect(lines[0]).toContain("1000 connections told to stop, the first 20 follow");
});
