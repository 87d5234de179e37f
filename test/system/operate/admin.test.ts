/** The admin server of the built program: while it starts, its addresses, its control socket. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { http } from "../../support/admin-http.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program, run, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterEach(endAll);

/** A protocol whose worker waits for the file `go` before it accepts. */
const SLOW = `
import { existsSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { defineProtocol, packet } from "drover";
while (isMainThread && !existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 20));
export default defineProtocol({ name: "slow", framing: packet(2), states: { ready: {} } });
`;

test("the tree has the name of the server, and says that it starts until its workers accept", async () => {
  const adminPort = await freePort();
  const program = new Program(
    [
      ...["start", "./slow.ts", "--name=bridge", "--host=127.0.0.1", "--port=0", "--workers=1"],
      ...[`--admin-port=${adminPort}`, "--log-format=json"],
    ],
    { files: { "slow.ts": SLOW } },
  );
  const root = async () => {
    const { body } = await http(adminPort, "/tree").catch(() => ({ body: "" }));
    return body !== "" && JSON.parse(body);
  };
  expect(await eventually(root)).toMatchObject({ name: "bridge", detail: "starting" });
  writeFileSync(join(program.dir, "go"), "");
  await program.line(({ msg }) => / serves /.test(msg ?? ""));
  expect(await root()).toMatchObject({ name: "bridge", detail: expect.stringContaining("one_for_one") });
});

test("a control socket that is removed is created again, and the log says so", async () => {
  const { program, control } = await serveProgram(["--workers=1"]);
  rmSync(dirname(control), { recursive: true });
  const line = await program.line(({ msg }) => String(msg).startsWith("Control socket"));
  expect(line).toMatchObject({
    level: "warn",
    msg: `Control socket ${control} was removed: created it again`,
    path: control,
  });
  const { stdout } = await run(["info", "--json", `--control=${control}`]);
  expect(JSON.parse(stdout).osPid).toBe(program.osPid);
  expect((await run(["stop", `--control=${control}`])).stdout).toBe("stopped\n");
  expect(existsSync(control)).toBe(false);
});
