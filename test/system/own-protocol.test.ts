/** What a protocol of one's own asks of the program that serves it. */
import { afterEach, expect, test } from "vitest";
import { endAll, run, serveProtocol } from "../support/program.js";

afterEach(endAll);

const STORE = `
import { defineProtocol, lines } from "drover";
export default defineProtocol({ name: "store", framing: lines(), workers: 1, states: { ready: {} } });`;

test("a protocol with workers: 1 has one worker with auto, and more are refused with the reason", async () => {
  const files = { "store.js": STORE };
  const reason = "the protocol store runs in at most 1 worker";
  const refused = await run(["start", "./store.js", "--workers=2", "--port=0", "--admin-port=0"], { files });
  expect(refused).toMatchObject({
    code: 64,
    stderr: `drover: --workers: ${reason}, got 2: set 1, or remove it\n`,
  });
  const env = { DROVER_WORKERS: "3" };
  const checked = await run(["check", "./store.js", "--port=0", "--admin-port=0"], { files, env });
  expect(checked).toMatchObject({ code: 78, stdout: expect.stringContaining(`DROVER_WORKERS: ${reason}`) });

  const { control, program } = await serveProtocol("store.js", STORE, ["--workers=auto"]);
  expect(program.lines.find(({ msg }) => / serves /.test(msg))?.msg).toContain("with 1 worker;");
  const { code, stderr } = await run(["scale", "2", "--control", control]);
  expect(code).toBe(69);
  expect(stderr).toContain(reason);
});
