/** Balance of connections over the workers, and that a stopped OS process delays no client. */
import { setTimeout } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { http } from "../support/admin-http.js";
import { FrameClient } from "../support/frames.js";
import { endAll, serveProgram } from "../support/program.js";
import { eventually } from "../support/until.js";

const clients: FrameClient[] = [];
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await endAll();
});

async function come(port: number, count: number): Promise<void> {
  const connecting = Array.from({ length: count }, () => FrameClient.connect(port));
  const come = await Promise.all(connecting);
  clients.push(...come);
  for (const client of come) expect(await client.ask("x")).toBe("x");
}

/** Connections of each worker, once the sum is `total`. */
function spread(adminPort: number, total: number): Promise<number[]> {
  return eventually(async () => {
    const { body } = await http(adminPort, "/metrics");
    const lines = body.matchAll(/^drover_connections_active\{[^}]*\} (\d+)$/gm);
    const counts = [...lines].map((found) => Number(found[1]));
    return counts.reduce((sum, count) => sum + count, 0) === total && counts;
  });
}

const ratio = (counts: readonly number[]) => Math.max(...counts) / Math.min(...counts);

test("clients that come at 200 a second are spread evenly over four workers", async () => {
  const { port, adminPort } = await serveProgram(["--workers=4"]);
  for (let n = 0; n < 40; n++) await Promise.all([come(port, 10), setTimeout(50)]);
  expect(ratio(await spread(adminPort, 400))).toBeLessThanOrEqual(1.25);
});

// Retried: balancing does not wait for a worker without CPU time, and 4 workers share this machine with 4,000 clients.
test("a burst of 4,000 is spread evenly, and all are served", { retry: 2 }, async () => {
  const { port, adminPort } = await serveProgram(["--workers=4"]);
  await come(port, 4_000);
  expect(ratio(await spread(adminPort, 4_000))).toBeLessThanOrEqual(1.25);
});

test("a worker that is stopped holds up no client: the other goes on accepting", async () => {
  const { port, program } = await serveProgram();
  const [one] = program.workers() as [number];
  process.kill(one, "SIGSTOP");
  await come(port, 100);
});

test("a primary that is stopped holds up no client", async () => {
  const { port, program } = await serveProgram();
  program.signal("SIGSTOP");
  await come(port, 200);
  program.signal("SIGCONT");
  await come(port, 10);
});
