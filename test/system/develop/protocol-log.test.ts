/** Log lines of a protocol, in the log of the program. */
import { afterEach, expect, test } from "vitest";
import { post } from "../../admin/support.js";
import { metricsNow } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, Program, run, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterEach(endAll);

const TALKER = `
import { defineProtocol, log, packet } from "drover";
log.info("loaded");
export default defineProtocol({
  name: "talker",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        const imei = frame.toString();
        conn.log.warn({ imei, level: "mine", "bad key": 1 }, "no answer from %s", imei);
        conn.log.debug({ imei }, "only at debug");
        conn.log.error(new RangeError("too far"), "failed");
        conn.log.error(new RangeError("alone"));
        conn.log.info({ get broken() { throw new Error("hostile"); } }, "hostile");
        conn.send("done");
      },
    },
  },
});`;

test("conn.log and log write lines with worker, pid, protocol, state and peer, at the level of the log", async () => {
  const { program, port, adminPort, control } = await serveProtocol("talker.js", TALKER, ["--workers=1"]);
  await program.line(({ msg, worker }) => msg === "loaded" && worker === 1);
  const client = await FrameClient.connect(port);
  await client.ask("863");
  const line = await program.line(({ msg }) => msg === "no answer from 863");
  const connection = { worker: 1, pid: "<1.5>", protocol: "talker", state: "ready" };
  expect(line).toMatchObject({ level: "warn", imei: "863", level_: "mine", bad_key: 1, ...connection });
  expect(line.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  const err = { type: "RangeError", message: "too far" };
  expect(await program.line(({ msg }) => msg === "failed")).toMatchObject({
    level: "error",
    err,
    ...connection,
  });
  await program.line(({ msg }) => msg === "RangeError: alone");
  await program.line(({ msg, fields }) => msg === "hostile" && fields === "unprintable");
  expect(program.lines.some(({ msg }) => msg === "only at debug")).toBe(false);
  // The numbers of now come from the worker after it has got the level.
  const setLevel = async (level: string) => {
    await post({ socketPath: control }, "/log", { level });
    await metricsNow(adminPort);
  };
  await setLevel("debug");
  await client.ask("864");
  await program.line(({ msg, imei }) => msg === "only at debug" && imei === "864");
  await setLevel("error");

  // Followed, they come at the level that is asked for, whatever the log has.
  const follower = new Program(
    ["events", "--follow", "--json", "--level=debug", "--protocol=talker", `--control=${control}`],
    {},
  );
  await follower.until(() => follower.stdout.includes("no answer from 864"));
  // Its level reaches the worker a moment after the lines from before.
  await eventually(async () => {
    await client.ask("865");
    return follower.lines.some(({ msg, imei }) => msg === "only at debug" && imei === "865");
  });
  expect(program.lines.filter(({ imei }) => imei === "865")).toEqual([]);
  follower.signal("SIGINT");
  expect((await follower.exited).code).toBe(0);
  const { stdout } = await run(["events", "--worker=1", "--text=STATE"], {
    env: { DROVER_CONTROL: control },
  });
  expect(stdout).toMatch(/ INFO {2}worker 1 {2}worker 1 starting, OS process \d+ .*state=starting\n/);
  expect((await run(["events"], { env: { DROVER_CONTROL: control } })).stdout).toContain(
    "audit: log debug: ok",
  );
  client.end();
});
