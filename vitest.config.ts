import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// unit: src within one process. system: the built program over real sockets. peers: real erl, prometheus, pm2, browser.
// Most files wait, so one more than there are cores runs at a time; those that measure time or load run alone, last.
const serial = {
  system: "test/system/{balance,flow-control,watchdog,workers}.test.ts",
  peers: "test/peers/{load-expect,load-open-loop,page-load,prometheus}.test.ts",
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
          exclude: [serial.system],
          ...patience(60_000),
        },
      },
      {
        test: {
          name: "system-serial",
          include: [serial.system],
          fileParallelism: false,
          ...patience(60_000),
        },
      },
      {
        test: {
          name: "peers",
          include: ["test/peers/**/*.test.ts"],
          exclude: [serial.peers],
          ...patience(120_000),
        },
      },
      {
        test: { name: "peers-serial", include: [serial.peers], fileParallelism: false, ...patience(120_000) },
      },
    ],
  },
});
