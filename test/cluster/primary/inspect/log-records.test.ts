import { expect, test } from "vitest";
import { LogRecords } from "../../../../src/cluster/primary/inspect/log-records.js";
import type { LogRecord } from "../../../../src/control/program.js";
import type { LineLevel } from "../../../../src/telemetry/log/levels.js";

function started() {
  const own: LineLevel[] = [];
  const workers: LineLevel[] = [];
  let line: (text: string) => void = () => {};
  const log = {
    follow: (level: LineLevel, onLine: (text: string) => void) => {
      own.push(level);
      line = onLine;
    },
  };
  const records = new LogRecords(log as never, (level) => workers.push(level));
  return { records, own, workers, line: (record: object) => line(JSON.stringify(record)) };
}

const seen = (records: readonly LogRecord[]) => records.map(({ msg }) => msg);

test("workers send what the lowest follower asks for, and warnings only when there is none", () => {
  const { records, own, workers } = started();
  const [first, second] = [new AbortController(), new AbortController()];
  records.followEvents({ level: "error" }, first.signal, () => {});
  expect(workers).toEqual([]);
  records.follow(first.signal, () => {});
  records.followEvents({ level: "trace" }, second.signal, () => {});
  second.abort();
  first.abort();
  expect([workers, own]).toEqual([
    ["info", "trace", "info", "warn"],
    ["info", "info", "trace", "info", "info"],
  ]);
});

test("a follower gets the records that pass its filter: level, worker, protocol, text", () => {
  const { records, line } = started();
  const got: LogRecord[] = [];
  const filter = { level: "info", worker: 1, protocol: "chat", text: "ADA" } as const;
  records.followEvents(filter, new AbortController().signal, (record) => got.push(record));
  const record = { level: "info", worker: 1, protocol: "chat", msg: "hit", who: "ada" };
  line(record);
  for (const other of [{ level: "debug" }, { worker: 2 }, { protocol: "echo" }, { who: "eve" }])
    line({ ...record, ...other, msg: "miss" });
  records.addLine("no JSON");
  expect(seen(got)).toEqual(["hit"]);
});

test("the last 200 warnings, reports, changes and states are kept, and nothing else", () => {
  const { records, line } = started();
  line({ level: "info", msg: "usual" });
  for (let n = 0; n < 300; n++) line({ level: "info", event: "worker", msg: n });
  line({ level: "info", audit: "scale", msg: "scaled" });
  line({ level: "warn", msg: "warned" });
  const kept = records.events({ level: "info" });
  expect(kept).toHaveLength(200);
  expect(seen(kept.slice(-3))).toEqual([299, "scaled", "warned"]);
  const page: LogRecord[] = [];
  records.follow(new AbortController().signal, (record) => page.push(record));
  expect(seen(page)).toEqual(["warned"]);
});
