import { defineConfig } from "vitest/config";

// unit: src against itself, in one process. system: the built program, real sockets, one file at a time
// because two cores cannot run several servers under load at once. peers: real erl, prometheus, pm2.
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/*.test.ts", "test/!(system|peers)/**/*.test.ts"] } },
      {
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "peers",
          include: ["test/peers/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
