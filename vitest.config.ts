import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.js";
import { otherNodes } from "./test/other-nodes.js";

const tests = (...names: string[]) => names.map((name) => `test/${name}.test.ts`);

// unit: src within one process. system: the built program over real sockets. long: of both, what takes long. peers: real
// erl, prometheus, pm2, browser.
// Most files wait, so one more than there are cores runs at a time; those that measure time or load run alone, last.
const serial = {
  system: tests("system/limits/balance"),
  long: tests("system/groups/load", "system/workers/watchdog", "scripts/stampede"),
  peers: tests("peers/page/load", "peers/nats/paused", "peers/deploy/scraped-restarts"),
};
// Files that start, wait or load for 10 to 60 s each: `npm run test:long`, so that `npm test` ends within three minutes.
const long = tests(
  "system/develop/{console,dev,inspector,modules,new,own-protocol}",
  "system/faults/{backlog,channel,channel-flood,log-file,logs,memory,orphans,removed,reports,start,starved}",
  "system/groups/{faults,message-flood}",
  "system/limits/{accept-rate,burst,exception-ban,limit-command,listener-limits,overload,when-full}",
  "system/network/outgoing",
  "system/operate/{audit,scrape,steering,token,views}",
  "system/start/{refusals,starts,worker-start}",
  "system/workers/recycle",
  "scripts/load/{command,modes}",
);
// After this a test counts as hanging: one that needs two seconds ends before it on a machine with ten times the load, too.
const patience = (ms: number) => ({
  ...{ testTimeout: ms, hookTimeout: ms },
  // As `eventually`; vitest's own is one second.
  expect: { poll: { timeout: 45_000 } },
});
// The files of a run share OS processes and modules: one OS process for each file cost 45 s of CPU. A file that leaves
// state behind may fail another: `--sequence.shuffle.files` finds it.
const shared = { isolate: false };
const alone = { ...shared, fileParallelism: false, sequence: { groupOrder: 1 } };
// OTHER_NODES is the folder with the binaries of other Node majors.
const { OTHER_NODES } = process.env;
const others = OTHER_NODES ? otherNodes(OTHER_NODES) : { parallel: [], serial: [] };

// A sequencer of ours would take the place of vitest's random one.
const shuffled = process.argv.some((arg) => arg.startsWith("--sequence.shuffle"));

export default defineConfig({
  test: {
    maxWorkers: availableParallelism() + 1,
    ...(!shuffled && { sequence: { sequencer: LongestFirst } }),
    projects: [
      {
        test: {
          name: "unit",
          setupFiles: "test/support/clean-clock.ts",
          ...shared,
          ...patience(60_000),
          include: ["test/*.test.ts", "test/!(system|peers)/**/*.test.ts"],
          exclude: [...long, ...serial.long],
        },
      },
      {
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts"],
          exclude: [...serial.system, ...serial.long, ...long],
          ...shared,
          ...patience(120_000),
        },
      },
      {
        test: {
          name: "system-serial",
          include: serial.system,
          ...alone,
          ...patience(120_000),
        },
      },
      { test: { name: "long", include: long, ...shared, ...patience(120_000) } },
      { test: { name: "long-serial", include: serial.long, ...alone, ...patience(120_000) } },
      {
        test: {
          name: "peers",
          // metrics once more: promtool may have been missing when the unit tests ran.
          include: ["test/peers/**/*.test.ts", "test/telemetry/metrics.test.ts"],
          exclude: serial.peers,
          ...shared,
          ...patience(120_000),
        },
      },
      ...others.parallel.map((one) => ({ test: { ...one, ...shared, ...patience(120_000) } })),
      ...others.serial.map((one) => ({ test: { ...one, ...alone, ...patience(120_000) } })),
      {
        test: { name: "peers-serial", include: serial.peers, ...alone, ...patience(120_000) },
      },
    ],
  },
});
