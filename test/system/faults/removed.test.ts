/** The program's own files are removed while it runs, as by an upgrade of the package. */
import { cpSync, mkdtempSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { FrameClient } from "../../support/frames.js";
import { endAll, MAIN, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/** A copy of the built program. */
function copyOfProgram(): { readonly dist: string; readonly main: string } {
  const dir = mkdtempSync(join(tmpdir(), "drover-removed-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const root = dirname(dirname(MAIN));
  const dist = join(dir, "dist");
  cpSync(dirname(MAIN), dist, { recursive: true });
  cpSync(join(root, "package.json"), join(dir, "package.json"));
  symlinkSync(resolve("node_modules"), join(dir, "node_modules"));
  return { dist, main: join(dist, "main.js") };
}

const asks = async (port: number, word: string) => {
  const client = await FrameClient.connect(port);
  const answer = await client.ask(word);
  client.end();
  return String(answer);
};

test("with its own files removed the program serves on, tells why a replacement cannot start, and starts it once they are back", async () => {
  const { dist, main } = copyOfProgram();
  const { program, port } = await serveProgram(["--workers=2"], { main });
  const [victim] = program.workers() as [number];
  renameSync(dist, `${dist}.away`);
  process.kill(victim, "SIGKILL");
  const report = await program.line(({ errorContext }) => errorContext === "start_error");
  expect(report).toMatchObject({
    supervisor: "drover",
    offender: { id: expect.stringMatching(/^worker \d$/) },
  });
  for (let n = 0; n < 5; n++) expect(await asks(port, `client ${n}`)).toBe(`client ${n}`);
  renameSync(`${dist}.away`, dist);
  await eventually(() => program.workers().length === 2);
  expect(await asks(port, "back")).toBe("back");
});
