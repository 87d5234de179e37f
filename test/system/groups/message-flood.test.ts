/** Messages between workers faster than one of them reads: what waits is bounded, and nothing but messages is lost. */
import { readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { http, metricsNow, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, run, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

const MIB = 2 ** 20;
/** Messages of 20 kB: 190 MiB if they all waited. */
const MANY = 10_000;
/** 32 MiB of them may wait; the rest is what the flood leaves for the garbage collector. */
const MOST = 150 * MIB;

const FLOOD = `
import { defineProtocol, packet, parsePid, send } from "drover";
const body = "m".repeat(20_000);
let timer;
export default defineProtocol({
  name: "flood",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        const [what, to, text] = String(frame).split(" ");
        if (what === "who") return conn.send(String(conn.pid));
        if (what === "halt") clearInterval(timer);
        const pid = parsePid(to ?? "");
        if (what === "send") send(pid, text);
        if (what === "flood")
          timer = setInterval(() => {
            for (let n = 0; n < 40; n++) send(pid, { body, n });
          }, 10);
        conn.send("ok");
      },
      message: (conn, message) => {
        if (typeof message === "string") conn.send(message);
      },
    },
  },
});`;

/** Two clients in different workers, of which the first floods the second when asked. */
async function flooding() {
  const { program, port, adminPort, control } = await serveProtocol("flood.js", FLOOD, ["--watchdog=0"]);
  const found = new Map<number, { client: FrameClient; pid: string; worker: number; osPid: number }>();
  const tree = async () => (await http(adminPort, "/tree")).body;
  const { children } = JSON.parse(await tree());
  while (found.size < 2) {
    const client = await FrameClient.connect(port);
    const pid = await client.ask("who");
    const worker = Number(/\d+/.exec(pid));
    const { osPid } = children.find((node: any) => node.pid === `<${worker}.1>`);
    found.set(worker, { client, pid, worker, osPid });
  }
  const [sender, receiver] = [...found.values()] as [any, any];
  /** @param now waits for a worker that is stopped; otherwise the numbers are those of the last reports */
  const dropped = async (worker: number, direction: string, now = false) => {
    const body = now ? await metricsNow(adminPort) : (await http(adminPort, "/metrics")).body;
    return series(body, "drover_channel_messages_dropped_total", { worker: String(worker), direction });
  };
  return { program, control, tree, sender, receiver, dropped };
}

function residentBytes(osPid: number): number {
  const pages = readFileSync(`/proc/${osPid}/statm`, "utf8").split(" ")[1];
  return Number(pages) * 4096;
}

// The second one waits for 10 s.
test.concurrent("messages for a worker that does not read take bounded memory of the primary, and are counted", async () => {
  const { program, control, tree, sender, receiver, dropped } = await flooding();
  expect(await dropped(receiver.worker, "to")).toBe(0);
  const before = residentBytes(program.osPid);
  process.kill(receiver.osPid, "SIGSTOP");
  await sender.client.ask(`flood ${receiver.pid}`);
  await eventually(async () => ((await dropped(receiver.worker, "to")) ?? 0) > MANY, 60_000);
  expect(residentBytes(program.osPid) - before).toBeLessThan(MOST);
  await sender.client.ask("halt");
  const { msg } = await program.line(({ msg }) => / for worker /.test(msg ?? ""));
  const { worker } = receiver;
  expect(msg).toBe(
    `Dropped 1 message for worker ${worker}: worker ${worker} reads too slowly, and 32 MiB wait for it`,
  );

  // What is no message waits behind them and arrives: a request that changes something, and a message after all.
  const suspended = run(["suspend"], { env: { DROVER_CONTROL: control } });
  process.kill(receiver.osPid, "SIGCONT");
  expect((await suspended).code).toBe(0);
  // 32 MiB before it: on a busy machine the command has ended by then.
  await eventually(async () => (await tree()).match(/:\d+ suspended/g)?.length === 2);
  // Behind what is left of the flood: what is sent after it has come is dropped no more.
  await eventually(async () => {
    await sender.client.ask(`send ${receiver.pid} behind`);
    return receiver.client.frames.length > 0;
  });
  const after = await dropped(receiver.worker, "to", true);
  await sender.client.ask(`send ${receiver.pid} single`);
  await eventually(() => receiver.client.frames.map(String).includes("single"));
  expect(await dropped(receiver.worker, "to", true)).toBe(after);

  process.kill(receiver.osPid, "SIGSTOP");
  await sender.client.ask(`flood ${receiver.pid}`);
  await eventually(async () => ((await dropped(receiver.worker, "to")) ?? 0) > (after ?? 0));
  program.signal("SIGTERM");
  process.kill(receiver.osPid, "SIGCONT");
  expect(await program.exited).toEqual({ code: 0, signal: null });
}, 120_000);

test.concurrent("messages of a worker whose primary does not read take bounded memory of the worker, and are counted", async () => {
  const { program, sender, receiver, dropped } = await flooding();
  const before = residentBytes(sender.osPid);
  process.kill(program.osPid, "SIGSTOP");
  await sender.client.ask(`flood ${receiver.pid}`);
  const line = await program.line(({ msg }) => / to other workers: the primary /.test(msg ?? ""));
  expect(line).toMatchObject({ level: "warn", worker: sender.worker });
  // Each further warning comes 10 s after the one before, and has the number of those in between.
  const many = await program.until(() => {
    const sum = program.lines.reduce((all, one) => all + (one.dropped ?? 0), 0);
    return sum > MANY && sum;
  });
  expect(residentBytes(sender.osPid) - before).toBeLessThan(MOST);
  await sender.client.ask("halt");
  process.kill(program.osPid, "SIGCONT");
  await eventually(async () => ((await dropped(sender.worker, "from")) ?? 0) >= many);
  await sender.client.ask(`send ${receiver.pid} single`);
  expect(String(await receiver.client.receive())).toBe("single");
}, 120_000);
