/** A full accept queue: it is seen while it lasts, and everybody is served afterwards. */
import { afterAll, expect, test } from "vitest";
import { http, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { isStopped } from "../../support/os-processes.js";
import { endAll, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

const BACKLOG = 64;
const CLIENTS = 300;

test("with all workers stopped the accept queue fills, which the metrics say, and all clients are served when they go on", async () => {
  const { program, port, adminPort } = await serveProgram([`--backlog=${BACKLOG}`, "--watchdog=0"]);
  const workers = program.workers();
  const queue = async () => {
    const { body } = await http(adminPort, "/metrics");
    const waiting = series(body, "drover_accept_queue", { listener: "main" }) ?? 0;
    return { waiting, overflows: series(body, "drover_accept_queue_overflows_total") ?? 0 };
  };
  const before = await queue();
  expect(before.waiting).toBe(0);
  for (const worker of workers) process.kill(worker, "SIGSTOP");
  await eventually(() => workers.every(isStopped));
  const answers = Array.from({ length: CLIENTS }, async (_, n) => {
    const client = await FrameClient.connect(port);
    const answer = await client.ask(`client ${n}`);
    client.end();
    return answer;
  });
  const all = Promise.all(answers);
  await eventually(async () => {
    const { waiting, overflows } = await queue();
    return waiting >= BACKLOG && overflows > before.overflows;
  });
  for (const worker of workers) process.kill(worker, "SIGCONT");
  expect(await all).toEqual(answers.map((_, n) => `client ${n}`));
  await eventually(async () => {
    const { body } = await http(adminPort, "/metrics");
    const sum = (name: string) => series(body, `drover_${name}`) ?? 0;
    return (
      sum("accept_queue") === 0 &&
      sum("connections_closed_total") === sum("connections_accepted_total") &&
      sum("connections_accepted_total") >= CLIENTS
    );
  });
  expect(program.workers()).toEqual(workers);
  expect(program.lines.filter(({ level }) => level === "error")).toEqual([]);
});
