/** Protocols that print, and readers of standard output and standard error that go away. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { http } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, type LogLine, type Served, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/** Says each frame in many ways, and answers. */
const TALKER = `import { defineProtocol, packet } from "drover";
const ways = {
  log: (text) => console.log("frame %s", text, { of: 3 }),
  info: (text) => console.info(text),
  debug: (text) => console.debug(text),
  warn: (text) => console.warn(text),
  error: (text) => console.error(new TypeError(text)),
  trace: (text) => console.trace(text),
  dir: (text) => console.dir({ text, deep: { a: { b: { c: 1 } } } }, { depth: 0 }),
  table: (text) => console.table([{ text }]),
  hostile: () => console.log({ [Symbol.for("nodejs.util.inspect.custom")]: () => { throw new Error("no"); } }),
  long: () => console.log("x".repeat(10000)),
  warning: (text) => process.emitWarning(text, { code: "T1", detail: "because" }),
  stdout: (text) => process.stdout.write(text + "\\n"),
  stderr: (text) => process.stderr.write(text + "\\n"),
};
export default defineProtocol({
  name: "talker",
  framing: packet(2),
  states: { ready: { frame: (conn, frame) => {
    const [way, text] = frame.toString().split(" ");
    ways[way](text);
    conn.send(frame);
  } } },
});`;

const WAYS = ["log", "info", "debug", "warn", "error", "trace", "dir", "table", "hostile", "warning", "long"];

describe("of one server, in order:", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serveProtocol("talker.ts", TALKER, ["--workers=1", "--log-level=trace"]);
  });

  test("console and process warnings of a protocol are log records of the worker, with the level of the method", async () => {
    const { program, port } = served;
    const client = await FrameClient.connect(port);
    for (const way of WAYS) expect(await client.ask(`${way} text-${way}`)).toBe(`${way} text-${way}`);
    const records = () => program.lines.filter(({ source }) => source !== undefined);
    await program.until(() => records().length === WAYS.length);
    const said = (way: string): LogLine | undefined =>
      records().find(({ msg }) => msg.includes(`text-${way}`));
    for (const [way, level] of [
      ...[
        ["log", "info"],
        ["info", "info"],
        ["debug", "debug"],
        ["warn", "warn"],
        ["error", "error"],
      ],
      ...[
        ["trace", "trace"],
        ["dir", "info"],
        ["table", "info"],
        ["warning", "warn"],
      ],
    ] as const)
      expect(said(way as string), way).toMatchObject({
        level,
        worker: 1,
        source: way === "warning" ? "warning" : "console",
      });
    expect(said("log")?.msg).toBe("frame text-log { of: 3 }");
    expect(said("dir")?.msg).toBe("{ text: 'text-dir', deep: [Object] }");
    expect(said("error")).toMatchObject({
      msg: "TypeError: text-error",
      err: { type: "TypeError", stack: expect.stringMatching(/talker\.ts:7:/) },
    });
    expect(said("trace")?.err.stack).toMatch(/talker\.ts:8:/);
    expect(said("warning")).toMatchObject({ code: "T1", detail: "because", err: { type: "Warning" } });
    expect(records().map(({ msg }) => msg)).toContain("unprintable");
    expect(program.stderr).toBe("");
  });

  test("a reader of standard output or standard error that goes away ends no worker and not the primary", async () => {
    const { program, port, adminPort } = served;
    const [worker] = program.workers();
    const client = await FrameClient.connect(port);
    for (const stream of ["stderr", "stdout"] as const) {
      program.child[stream]?.destroy();
      for (let n = 0; n < 20; n++)
        for (const way of [...WAYS, "stdout", "stderr"])
          expect(await client.ask(`${way} x`)).toBe(`${way} x`);
    }
    expect((await http(adminPort, "/ready")).status).toBe(200);
    expect(await client.ask("info x")).toBe("info x");
    expect(program.workers()).toEqual([worker]);
    program.signal("SIGTERM");
    expect(await program.exited).toEqual({ code: 0, signal: null });
  });
});

test("a worker that exits while a reader of standard output hangs does not block the others", async () => {
  const code = `import { defineProtocol, packet } from "drover";
export default defineProtocol({ name: "filler", framing: packet(2), states: { ready: { frame: (conn, frame) => {
  if (frame.toString() === "fill") for (let n = 0; n < 2000; n++) console.log("x".repeat(1000));
  if (frame.toString() === "end") setImmediate(() => { throw new Error("outside of any process"); });
  conn.send(frame);
} } } });`;
  const { program, port, adminPort } = await serveProtocol("filler.ts", code);
  // A socket, as systemd's journal is: what is written to it waits in the kernel.
  program.child.stdout?.pause();
  const before = program.workers();
  const client = await FrameClient.connect(port);
  expect(await client.ask("fill")).toBe("fill");
  client.send("end");
  await eventually(
    () => program.workers().length === 2 && program.workers().some((one) => !before.includes(one)),
  );
  for (let n = 0; n < 4; n++) expect(await (await FrameClient.connect(port)).ask("fill")).toBe("fill");
  expect((await http(adminPort, "/ready")).status).toBe(200);
  program.child.stdout?.resume();
  program.signal("SIGTERM");
  expect(await program.exited).toEqual({ code: 0, signal: null });
});
