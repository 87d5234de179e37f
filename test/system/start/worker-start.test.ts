/** A worker that cannot start: while another serves it is tried again, otherwise the restart budget decides. */
import {
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { http, metricNow, metricsNow, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, type LogLine, ROOT, type Served, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/** Answers with the OS pid of its worker. Throws at the start while the file `away` exists, as if a database were down. */
const PROTOCOL = `
import { existsSync } from "node:fs";
import { defineProtocol, packet } from "drover";
if (existsSync("away")) throw new Error("the database is away");
export default defineProtocol({
  name: "osPid",
  framing: packet(2),
  states: { ready: { frame: (conn) => conn.send(String(process.pid)) } },
});
`;

/** A copy of the installation, parts of which can be moved away. */
function installation(): { main: string; node: string; dir: string } {
  const dir = mkdtempSync(join(tmpdir(), "drover-installed-"));
  cpSync(join(ROOT, "dist"), join(dir, "dist"), { recursive: true });
  copyFileSync(join(ROOT, "package.json"), join(dir, "package.json"));
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  mkdirSync(join(dir, "bin"));
  const node = join(dir, "bin", "node");
  copyFileSync(process.env.NODE ?? process.execPath, node, constants.COPYFILE_FICLONE);
  return { main: join(dir, "dist", "main.js"), node, dir };
}

const notStarting = (line: LogLine) => /^worker \d does not start: /.test(line.msg ?? "");

const RESTARTS = 5;

/** One client of each of the two workers, by its OS pid: the balance closes the copy of a worker that is ahead. */
async function clientOfEach(port: number): Promise<Map<string, FrameClient>> {
  const clients = new Map<string, FrameClient>();
  await eventually(async () => {
    const client = await FrameClient.connect(port);
    clients.set(await client.ask("who"), client);
    return clients.size === 2;
  });
  return clients;
}

/** One program for all of them: each part is back, and both workers serve, before the next is away. */
describe("a part of the installation, or what a protocol needs", () => {
  let served: Served;
  let installed: ReturnType<typeof installation>;
  beforeAll(async () => {
    installed = installation();
    const args = ["--workers=2", `--max-restarts=${RESTARTS}`, "--max-seconds=3600"];
    served = await serveProtocol("p.ts", PROTOCOL, args, installed);
  });
  afterAll(() => rmSync(installed.dir, { recursive: true, force: true }));
  let deaths = 0;

  test.each(["database", "dist", "bin"])(
    "while a worker serves, a replacement that cannot start (%s is away) is tried again and costs no other client",
    async (missing) => {
      const { program, port, adminPort } = served;
      const metrics = () => metricsNow(adminPort);
      const failures = (body: string, worker: string) =>
        series(body, "drover_worker_start_failures_total", { worker }) ?? 0;
      const [victim, survivor] = program.workers() as [number, number];
      const clients = await clientOfEach(port);
      const [before, metricsBefore] = [program.lines.length, await metrics()];
      const moved = missing === "database" ? undefined : join(installed.dir, missing);
      if (moved) renameSync(moved, `${moved}.moved`);
      else writeFileSync(join(program.dir, "away"), "");
      process.kill(victim, "SIGKILL");
      deaths++;
      const failed = await program.until(() => {
        const lines = program.lines.slice(before).filter(notStarting);
        return lines.length >= 3 && lines.slice(0, 3);
      });
      expect(failed.map((line) => line.startFailures)).toEqual([1, 2, 3]);
      if (!moved) expect(failed[0]?.msg).toContain("the database is away");

      expect((await http(adminPort, "/ready")).status).toBe(200);
      expect(await clients.get(`${survivor}`)?.ask("who")).toBe(`${survivor}`);
      const body = await metrics();
      const slot = /^worker (\d)/.exec(failed[0]?.msg)?.[1] as string;
      expect(failures(body, slot) - failures(metricsBefore, slot)).toBeGreaterThanOrEqual(3);
      expect(series(body, "drover_restarts_left", { supervisor: "drover" })).toBe(RESTARTS - deaths);

      if (moved) renameSync(`${moved}.moved`, moved);
      else rmSync(join(program.dir, "away"));
      await eventually(
        async () => (await metricNow(adminPort, "drover_workers", { state: "running" })) === 2,
      );
      expect(existsSync(installed.main)).toBe(true);
      for (const client of clients.values()) client.end();
    },
  );
});

test("when no worker serves, the restart budget decides, and the last line names the reason", async () => {
  // Six starts that fail may take a slow machine more than the minute of the default.
  const { program } = await serveProtocol("p.ts", PROTOCOL, ["--workers=1", "--max-seconds=600"]);
  writeFileSync(join(program.dir, "away"), "");
  process.kill(program.workers()[0] as number, "SIGKILL");
  expect((await program.exited).code).toBe(70);
  const reports = program.lines.filter((line) => line.report === "supervisor");
  expect(reports.map((line) => line.errorContext)).toEqual([
    "child_terminated",
    ...Array(5).fill("start_error"),
    "shutdown",
  ]);
  expect(program.stderr.trim().split("\n").at(-1)).toMatch(
    /^drover: gave up: .* worker 1 did not start: the database is away/,
  );
});

test.each([
  [
    "by default, six workers that die at once are all replaced: the budget follows their number",
    ["--workers=6"],
  ],
  [
    "a number that is given is taken literally: more deaths at once end the program",
    ["--workers=3", "--max-restarts=2"],
  ],
] as const)("%s", async (_, args) => {
  const { program, port } = await serveProtocol("p.ts", PROTOCOL, args);
  const workers = program.workers();
  for (const worker of workers) process.kill(worker, "SIGKILL");
  if (args.length > 1) {
    expect((await program.exited).code).toBe(70);
    expect(program.stderr).toMatch(/gave up: .*worker \d ended: killed/);
    return;
  }
  await eventually(
    () => program.workers().filter((worker) => !workers.includes(worker)).length === workers.length,
  );
  const client = await FrameClient.connect(port);
  expect(program.workers()).toContain(Number(await client.ask("who")));
  client.end();
});
