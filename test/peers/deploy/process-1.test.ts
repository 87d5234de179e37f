/** The program as process 1 of a PID namespace, as in a container without an init. Needs root, and unshare of util-linux. */
import { afterEach, expect } from "vitest";
import { childrenOf } from "../../support/os-processes.js";
import { testWith } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { endAll, MAIN, Program } from "../../support/program.js";

const unshare = testWith("unshare", "apt-get install util-linux");
const asRoot = process.getuid?.() === 0 ? unshare : unshare.skip;

afterEach(endAll);

const SLOW = `
import { isMainThread } from "node:worker_threads";
process.stderr.write(isMainThread ? "loaded in a worker\\n" : "tried out\\n");
if (!isMainThread) await new Promise((resolve) => setTimeout(resolve, 60_000));
`;

asRoot("as process 1, SIGTERM during the start ends it with 0", async () => {
  const program = new Program(
    [
      ...["--fork", "--mount-proc", "--kill-child=KILL", process.env.NODE ?? process.execPath, MAIN],
      ...["start", "./slow.ts", "--host=127.0.0.1", `--port=${await freePort()}`],
    ],
    { node: "unshare", main: "--pid", files: { "slow.ts": SLOW } },
  );
  await program.until(() => program.stderr.includes("tried out"));
  process.kill(childrenOf(program.osPid)[0] as number, "SIGTERM");
  expect(await program.exited).toEqual({ code: 0, signal: null });
});
