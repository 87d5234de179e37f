/** Workers out of memory: the cause is the reason in the report, and the others serve on. */
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { FrameClient } from "../../support/frames.js";
import { endAll, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/** `heap` takes memory of the heap, `bytes` outside of it, both for ever. */
const GREEDY = `
import { defineProtocol, packet } from "drover";
const kept: unknown[] = [];
export default defineProtocol({
  name: "greedy",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        if (String(frame) === "heap") for (;;) kept.push(new Array(1_000).fill(kept.length));
        if (String(frame) === "bytes") for (;;) kept.push(Buffer.alloc(1 << 20, 1));
        conn.send(String(process.pid));
      },
    },
  },
});
`;

test("an exhausted heap is the reason in the report, and nothing is left of node's own report", async () => {
  const env = { NODE_OPTIONS: "--max-old-space-size=64" };
  // A slow machine takes longer to fill it than the watchdog waits.
  const args = ["--workers=1", "--watchdog=0"];
  const { program, port, control } = await serveProtocol("greedy.ts", GREEDY, args, { env });
  const client = await FrameClient.connect(port);
  await client.ask("who");
  client.send("heap");
  const report = await program.line((line) => line.errorContext === "child_terminated");
  expect(report.reason).toBe("'heap out of memory'");
  const next = await FrameClient.connect(port);
  expect(await next.ask("who")).toMatch(/^\d+$/);
  expect(readdirSync(join(control, "..")).filter((name) => name.startsWith("heap-"))).toEqual([]);
});

/** A cgroup of its own with 200 MiB; `undefined` where this user cannot make one. */
function makeCgroup(): string | undefined {
  for (const [root, limit] of [
    ["/sys/fs/cgroup/memory", "memory.limit_in_bytes"],
    ["/sys/fs/cgroup", "memory.max"],
  ] as const) {
    const dir = join(root, `drover-test-${process.pid}`);
    try {
      mkdirSync(dir);
      writeFileSync(join(dir, limit), `${200 * 2 ** 20}`);
      return dir;
    } catch {
      try {
        rmdirSync(dir);
      } catch {}
    }
  }
  return undefined;
}

const cgroup = process.platform === "linux" ? makeCgroup() : undefined;
afterAll(() => cgroup && eventually(() => tryRemove(cgroup), 5_000).catch(() => {}));

function tryRemove(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch {
    return false;
  }
}

test.skipIf(cgroup === undefined)("a kill of the cgroup is the reason in the report", async () => {
  const dir = mkdtempSync(join(tmpdir(), "drover-cgroup-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  // In its cgroup from its first statement on: the counter there is what it reads.
  const node = join(dir, "node");
  const script = `#!/bin/sh\necho $$ > ${cgroup}/cgroup.procs\nexec ${process.env.NODE ?? process.execPath} "$@"\n`;
  writeFileSync(node, script, { mode: 0o755 });
  const args = ["--workers=1", "--watchdog=0"];
  const { program, port } = await serveProtocol("greedy.ts", GREEDY, args, { node });
  const client = await FrameClient.connect(port);
  await client.ask("who");
  client.send("bytes");
  const report = await program.line((line) => line.errorContext === "child_terminated");
  expect(report.reason).toBe("'killed by the kernel: the cgroup is out of memory'");
  program.signal("SIGTERM");
  await program.exited;
});
