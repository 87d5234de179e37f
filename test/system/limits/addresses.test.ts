/** Limits on client addresses over all workers of the built program. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { metric } from "../../support/admin-http.js";
import { isStopped } from "../../support/os-processes.js";
import { endAll, run, type Served, serveProgram } from "../../support/program.js";
import { servedClient, servedClients } from "../../support/served-client.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

const refused = (adminPort: number, reason: string) =>
  metric(adminPort, "drover_connections_refused_total", { reason });

// Retried: a worker admits a client whose primary has had no CPU time for a second.
test("an address has at most its limit over all workers, whichever of them accept, and others are served", {
  retry: 2,
}, async () => {
  const { program, port, adminPort } = await serveProgram(["--max-per-address=5", "--workers=3"]);
  const served = await servedClients(40, port);
  expect(served).toHaveLength(5);
  expect(await servedClients(3, port, "127.0.0.2")).toHaveLength(3);
  await eventually(async () => (await refused(adminPort, "address_connections")) === 35);
  served[0]?.end();
  await eventually(() => servedClient(port));
  // What a killed worker had is given back.
  for (const worker of program.workers()) process.kill(worker, "SIGKILL");
  await eventually(async () => (await servedClients(1, port)).length === 1);
  const others = await eventually(async () => {
    const more = await servedClients(4, port);
    if (more.length === 4) return more;
    for (const one of more) one.end();
    return undefined;
  });
  expect(others).toHaveLength(4);
  expect(await servedClient(port)).toBeUndefined();
});

describe("of one server, in order:", () => {
  let server: Served;
  beforeAll(async () => {
    server = await serveProgram(["--workers=2", "--max-per-address=2"]);
  });

  test("while the primary is stopped clients are admitted, and counted once it goes on", async () => {
    const { program, port } = server;
    program.signal("SIGSTOP");
    await eventually(() => isStopped(program.osPid));
    // More than the workers may have before they hear of each other.
    const served = await servedClients(40, port);
    expect(served).toHaveLength(40);
    program.signal("SIGCONT");
    await eventually(async () => {
      const more = await servedClient(port);
      more?.end();
      return more === undefined;
    });
    for (const one of served) one.end();
    expect(await eventually(() => servedClient(port))).toBeDefined();
  });

  test("drover ban refuses an address on all workers, also on one that starts later, until it is lifted", async () => {
    const { program, port, control } = server;
    const drover = (...args: string[]) => run([...args, `--control=${control}`]);
    expect((await drover("limit", "max-per-address", "off")).code).toBe(0);
    const open = await servedClient(port);
    expect((await drover("ban", "127.0.0.1", "--for=10m")).stdout).toBe("127.0.0.1 banned for 10m\n");
    await eventually(async () => (await servedClients(4, port)).length === 0);
    expect(await open?.ask("still here")).toBe("still here");
    expect(await servedClients(2, port, "127.0.0.2")).toHaveLength(2);
    for (const worker of program.workers()) process.kill(worker, "SIGKILL");
    await eventually(async () => (await servedClients(2, port, "127.0.0.2")).length === 2);
    expect(await servedClients(4, port)).toHaveLength(0);
    expect((await drover("bans")).stdout).toMatch(/^ADDRESS +LEFT\n127\.0\.0\.1 +\dm/);
    expect((await drover("unban", "127.0.0.1")).code).toBe(0);
    expect(await eventually(() => servedClient(port))).toBeDefined();
    expect((await drover("unban", "127.0.0.1")).stderr).toContain("127.0.0.1 is not banned");
  });
});
