import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// unit: src within one process. system: the built program over real sockets. peers: real erl, prometheus, pm2, browser.
// Files run at the same time, one more than there are cores, as most wait; what measures time or load runs alone, after them.
const alone = {
  system: ["balance", "flow-control", "watchdog", "workers"].map((name) => `test/system/${name}.test.ts`),
  peers: ["load-expect", "load-open-loop", "page-load"].map((name) => `test/peers/${name}.test.ts`),
};
const patience = (ms: number) => ({ testTimeout: ms, hookTimeout: ms });

export default defineConfig({
  test: {
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        test: {
          name: "unit",
          ...patience(20_000),
          include: ["test/*.test.ts", "test/!(system|peers)/**/*.test.ts"],
        },
      },
      {
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts"],
          exclude: alone.system,
          ...patience(60_000),
        },
      },
      {
        test: { name: "system-serial", include: alone.system, fileParallelism: false, ...patience(60_000) },
      },
      {
        test: {
          name: "peers",
          include: ["test/peers/**/*.test.ts"],
          exclude: alone.peers,
          ...patience(120_000),
        },
      },
      {
        test: { name: "peers-serial", include: alone.peers, fileParallelism: false, ...patience(120_000) },
      },
    ],
  },
});
