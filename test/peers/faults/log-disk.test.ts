/** The disk of the log file: slow, and full. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished } from "vitest";
import { http, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { find, testWith } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

const strace = testWith("strace", "apt-get install strace");
const unshare = testWith("unshare", "apt-get install util-linux");

/** Logs each frame before it answers. */
const TALKATIVE = `
import { defineProtocol, packet } from "drover";
export default defineProtocol({
  name: "talkative",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        conn.log.info(\`said \${frame}\`);
        conn.send(frame);
      },
    },
  },
});
`;

async function serveInto(log: string, node?: string) {
  const [port, adminPort] = [await freePort(), await freePort()];
  const program = new Program(
    [
      ...[
        "start",
        "./talkative.ts",
        "--workers=1",
        "--host=127.0.0.1",
        `--port=${port}`,
        "--log-format=json",
      ],
      ...[`--admin-port=${adminPort}`, `--log-file=${log}`],
    ],
    { files: { "talkative.ts": TALKATIVE }, ...(node !== undefined && { node }) },
  );
  const ready = async () => (await http(adminPort, "/ready").catch(() => undefined))?.status === 200;
  await eventually(ready);
  return { program, port, adminPort };
}

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "drover-disk-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

strace(
  "a disk that takes a second for each write of the log holds up no client, and no line is lost at the end",
  async () => {
    const log = join(folder(), "log");
    const { program, port } = await serveInto(log);
    const [worker] = program.workers() as [number];
    const slow = ["-f", "-p", `${worker}`, "-P", log, "-e", "trace=write,pwrite64"];
    const inject = ["-e", "inject=write,pwrite64:delay_enter=1000000"];
    const tracer: ChildProcess = spawn(find("strace") as string, [...slow, ...inject], { stdio: "ignore" });
    onTestFinished(() => void tracer.kill("SIGKILL"));
    await eventually(() => /^TracerPid:\s+[1-9]/m.test(readFileSync(`/proc/${worker}/status`, "utf8")));
    const client = await FrameClient.connect(port);
    const from = performance.now();
    for (let n = 0; n < 20; n++) expect(await client.ask(`line ${n}`)).toBe(`line ${n}`);
    // In the loop they took 20 s.
    expect(performance.now() - from).toBeLessThan(10_000);
    client.end();
    program.signal("SIGTERM");
    await program.exited;
    const text = readFileSync(log, "utf8");
    for (let n = 0; n < 20; n++) expect(text).toContain(`"said line ${n}"`);
  },
);

const asRoot = process.getuid?.() === 0 ? unshare : unshare.skip;

asRoot(
  "on a full disk no line is half, what is lost is counted, and it goes on when there is room",
  async () => {
    const dir = folder();
    const node = join(dir, "node");
    const mount = `mount -t tmpfs -o size=32k none ${dir}`;
    const real = process.env.NODE ?? process.execPath;
    writeFileSync(node, `#!/bin/sh\nexec unshare --mount sh -c '${mount} && exec "$@"' sh ${real} "$@"\n`, {
      mode: 0o755,
    });
    const { program, port, adminPort } = await serveInto(join(dir, "log"), node);
    // As this OS process sees it.
    const log = `/proc/${program.osPid}/root${dir}/log`;
    const client = await FrameClient.connect(port);
    // For a moment, between an attempt and its repair, the last line may be half: read again.
    const whole = () => {
      try {
        return readFileSync(log, "utf8")
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line).msg as string);
      } catch {
        return undefined;
      }
    };
    const ends = () => readFileSync(log, "utf8").endsWith("\n");
    const filler = "x".repeat(900);
    for (let n = 0; n < 3_000; n++) await client.ask(`${n} ${filler}`);
    const lost = async () =>
      series((await http(adminPort, "/metrics/now")).body, "drover_log_lines_dropped_total", {
        worker: "1",
      }) ?? 0;
    await eventually(async () => (await lost()) > 0);
    await eventually(ends);
    expect((await eventually(whole)).length).toBeGreaterThan(10);
    await client.ask("after");
    const grow = ["--target", `${program.osPid}`, "--mount", "mount", "-o", "remount,size=8m", dir];
    expect(spawnSync(find("nsenter") as string, grow, { encoding: "utf8" })).toMatchObject({ status: 0 });
    await eventually(() => whole()?.includes("said after"));
    await eventually(ends);
  },
);
