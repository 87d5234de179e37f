/** Handlers that need a descriptor when the worker has none left. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { FrameClient } from "../../support/frames.js";
import { endAll, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/**
 * `take` takes every descriptor, those that the worker frees meanwhile as well, until `give` gives them back. The others
 * need one, and answer what comes of it.
 */
const NEEDY = `
import { closeSync, openSync, readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import { defineProtocol, packet } from "drover";
const taken: number[] = [];
let taking: NodeJS.Timeout;
function take(): void {
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {}
}
const needs: Record<string, (port: number) => unknown> = {
  take: () => {
    take();
    taking = setInterval(take, 1);
  },
  give: () => {
    clearInterval(taking);
    for (const fd of taken.splice(0)) closeSync(fd);
  },
  open: async () => (await open("/etc/hosts")).close(),
  resolve: () => lookup("localhost"),
  connect: (port) =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(void socket.destroy())).once("error", reject);
    }),
};
export default defineProtocol({
  name: "needy",
  framing: packet(2),
  states: {
    ready: {
      frame: async (conn, frame) => {
        const what = String(frame);
        if (taken.length > 0) take();
        if (what === "throw") readFileSync("/etc/hosts");
        const answer = await Promise.resolve(needs[what]?.(Number(conn.local?.port ?? 0))).then(
          () => "done",
          (error) => error.code,
        );
        conn.send(answer);
      },
    },
  },
});
`;

test("without a free descriptor, a handler that opens, resolves or connects fails for its own request, and the worker serves on", async () => {
  const dir = mkdtempSync(join(tmpdir(), "drover-few-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const node = join(dir, "node");
  writeFileSync(node, `#!/bin/sh\nulimit -n 300\nexec ${process.env.NODE ?? process.execPath} "$@"\n`, {
    mode: 0o755,
  });
  const { program, port } = await serveProtocol("needy.ts", NEEDY, ["--workers=1"], { node });
  const workers = program.workers();
  const [client, careless, honest] = await Promise.all([1, 2, 3].map(() => FrameClient.connect(port)));
  for (const one of [client, careless, honest]) expect(await one?.ask("")).toBe("done");
  const needs = ["open", "resolve", "connect"];
  for (const what of needs) expect([what, await client?.ask(what)]).toEqual([what, "done"]);

  expect(await client?.ask("take")).toBe("done");
  await eventually(async () => (await client?.ask("open")) === "EMFILE");
  await eventually(async () => (await client?.ask("connect")) === "EMFILE");
  await eventually(async () => (await client?.ask("resolve")) !== "done");
  // An error that the handler does not catch ends its connection, and no other.
  careless?.send("throw");
  expect(await careless?.closed).toBe("end");
  const crash = await program.line(({ report }) => report === "crash");
  expect(JSON.stringify(crash)).toContain("EMFILE");
  expect(await honest?.ask("")).toBe("done");

  expect(await client?.ask("give")).toBe("done");
  for (const what of needs) expect([what, await client?.ask(what)]).toEqual([what, "done"]);
  expect(program.workers()).toEqual(workers);
  for (const one of [client, honest]) one?.end();
});
