/**
 * What an operator sees of the built program beside its views: audit lines and their metric, connections by address,
 * accept queue, closes by reason, and the clients that a drain cuts. All of one started program.
 */
import { afterAll, expect, test } from "vitest";
import { ask, post } from "../../admin/support.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, type LogLine, run, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const PROTOCOL = `
import { defineProtocol, packet, stop } from "drover";
export default defineProtocol({
  name: "holder",
  framing: packet(2),
  states: { held: { frame: (conn, frame) => (String(frame) === "bye" ? stop("bye") : conn.send(frame)) } },
});
`;

afterAll(endAll);

test("an operator sees what was changed from outside, by which caller, and which clients a drain cut", async () => {
  const { program, port, adminPort, control } = await serveProtocol("holder.ts", PROTOCOL, ["--host=::"]);
  const env = { DROVER_CONTROL: control };
  const audits = (): LogLine[] => program.lines.filter(({ audit }) => audit);
  const audit = (action: string, result: string) =>
    program.line((line) => line.audit === action && line.result === result);

  const clients = await Promise.all([1, 2, 3].map(() => FrameClient.connect(port)));
  for (const client of clients) await client.ask("hello");
  const bye = await FrameClient.connect(port);
  bye.send("bye");
  await bye.closed;

  // Raised level: audit lines are still written.
  expect((await run(["log", "error"], { env })).stdout).toBe("error\n");
  const { json: list } = await ask({ socketPath: control }, { path: "/connections" });
  const { code } = await run(["kill", list.rows[0].pid], { env });
  expect(code).toBe(0);
  await post({ port: adminPort }, "/scale", { workers: 9 });
  const kill = await audit("kill", "ok");
  expect(kill).toMatchObject({ level: "info", via: "control_socket", request: { pid: list.rows[0].pid } });
  expect(kill.client).toMatch(/^drover command \(uid \d+, os pid \d+/);
  expect(kill.by).toMatch(/^uid \d+( or root)?$/);
  expect(await audit("scale", "refused")).toMatchObject({
    via: "admin_port",
    by: "no valid token",
    status: 401,
  });
  expect(audits().map(({ audit }) => audit)).toEqual(["log", "kill", "scale"]);
  const { text } = await ask({ port: adminPort }, { path: "/metrics" });
  expect(text).toContain('drover_admin_changes_total{action="kill",via="control_socket",result="ok"} 1\n');

  // What a client sees closed may be in the list for a moment more.
  await eventually(async () => {
    const { json } = await ask({ socketPath: control }, { path: "/connections?by=address" });
    return json.matched === 2 && json.complete;
  });
  const byAddress = await run(["connections", "--by", "address", "--json"], { env });
  const addresses = JSON.parse(byAddress.stdout);
  expect(addresses).toMatchObject({ addresses: 1, matched: 2, complete: true });
  expect(addresses.rows).toMatchObject([{ address: "127.0.0.1", connections: 2, framesReceived: 2 }]);

  await eventually(async () => {
    const { json } = await ask({ port: adminPort }, { path: "/stats" });
    const { totals, closedBy } = json;
    return closedBy.stopped === 1 && closedBy.killed === 1 && totals.accepted === 4 && totals.active === 2;
  });
  const { json: ready } = await ask({ port: adminPort }, { path: "/ready" });
  expect(ready).toEqual({ ok: true, status: "ready", workers: 2, acceptQueue: 0 });
  const top = (await run(["top"], { env })).stdout;
  expect(top).toMatch(/, accept queue 0 \(0 dropped\/s\)\n/);
  expect(top).toMatch(/^2 connections, 0 accepted\/s, 0 closed\/s/m);

  await post({ socketPath: control }, "/log", { level: "warn" });
  await post({ socketPath: control }, "/drain", { deadlineMs: 10 });
  const cut = await program.line(({ msg }) => /^connection cut at the deadline/.test(msg ?? ""));
  expect(cut).toMatchObject({ level: "warn", listener: "main", state: "held" });
  expect(cut.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(await program.line(({ cut }) => cut === 2)).toMatchObject({ listed: 2 });

  program.signal("SIGTERM");
  await program.exited;
  expect(audits().at(-1)).toMatchObject({ audit: "stop", via: "signal", by: "SIGTERM" });
});
