/** The admin server of the built program: while it starts, its addresses, its control socket. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { http } from "../support/admin-http.js";
import { freePort } from "../support/ports.js";
import { endAll, Program } from "../support/program.js";
import { eventually } from "../support/until.js";

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
