/** Groups of the built program where a worker is stopped or in a loop, and where the exchange dies again and again. */
import { afterAll, expect, test } from "vitest";
import { http, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { exchangeOf } from "../../support/os-processes.js";
import { endAll, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

const PROTOCOL = `
import { defineProtocol, forward, groups, names, packet } from "drover";
const rooms = groups<string>("room");
const devices = names<any, any>("device");
export default defineProtocol({
  name: "faults",
  framing: packet(2),
  takes: rooms,
  answers: devices,
  states: {
    ready: {
      frame: async (conn, frame) => {
        const [what, to, text] = JSON.parse(String(frame));
        if (what === "who") return void conn.send(String(conn.pid));
        if (what === "join") rooms(to).join(conn);
        if (what === "claim") await devices.claim(conn, to);
        if (what === "bulk") for (let at = 0; at < text; at++) rooms(to).send("x".repeat(60_000), { except: conn });
        if (what === "ask") return void conn.send(await devices.ask(to, text).then(String, (error) => error.code));
        if (what === "hang") for (;;);
        conn.send("ok");
      },
      message: forward,
      request: (conn, request) => request.reply("here"),
    },
  },
});
`;

type Served = Awaited<ReturnType<typeof serveProtocol>>;
const serve = (...args: string[]) => serveProtocol("faults.ts", PROTOCOL, ["--workers=2", ...args]);
const ask = (client: FrameClient, ...command: unknown[]) => client.ask(JSON.stringify(command));
const metrics = async ({ adminPort }: Served) => (await http(adminPort, "/metrics")).body;

/** Of each worker one client, that of worker 1 first. */
async function pair({ port }: Served): Promise<[FrameClient, FrameClient]> {
  const found = new Map<string, FrameClient>();
  for (let tries = 0; found.size < 2 && tries < 100; tries++) {
    const client = await FrameClient.connect(port);
    const worker = /^<(\d+)/.exec(await ask(client, "who"))?.[1] as string;
    if (found.has(worker)) client.end();
    else found.set(worker, client);
  }
  return [found.get("1"), found.get("2")] as [FrameClient, FrameClient];
}

/** Another client of worker 1. */
async function another({ port }: Served): Promise<FrameClient> {
  for (;;) {
    const client = await FrameClient.connect(port);
    if ((await ask(client, "who")).startsWith("<1.")) return client;
    client.end();
  }
}

async function workerPid({ adminPort }: Served, worker: number): Promise<number> {
  const { workers } = JSON.parse((await http(adminPort, "/info")).body);
  return workers.find((one: { worker: number }) => one.worker === worker).osPid;
}

const exchangePid = ({ program }: Served) => exchangeOf(program.osPid);

// 10 s until the watchdog kills, so both at once.
test.concurrent.each(["stopped", "in a loop"])(
  "a worker %s: its link fills, what is for it is dropped and counted, asks to it time out, the watchdog kills it",
  async (how) => {
    const served = await serve();
    const [one, other] = await pair(served);
    const sender = await another(served);
    for (const client of [sender, other]) await ask(client, "join", "all");
    expect(await ask(other, "claim", "42")).toBe("ok");
    expect(await ask(one, "ask", "42", "hello")).toBe("here");
    const osPid = await workerPid(served, 2);
    if (how === "stopped") process.kill(osPid, "SIGSTOP");
    else other.send(JSON.stringify(["hang"]));

    // Its 5 s run while the link fills: there are 10 s until the watchdog kills.
    const answer = ask(one, "ask", "42", "hello");
    // 60 kB each: more than 8 MiB for the link, and what the kernel takes before.
    const dropped = async () =>
      series(await metrics(served), "drover_group_dropped_total", { reason: "link_full", worker: "0" }) ?? 0;
    await eventually(async () => {
      expect(await ask(sender, "bulk", "all", 100)).toBe("ok");
      return (await dropped()) > 0;
    }, 40_000);
    expect(await answer).toBe("timeout");
    await eventually(async () => (await workerPid(served, 2)) !== osPid, 40_000);
    await served.program.line((line) => /Unresponsive worker 2: .*killed after 10 s/.test(line.msg ?? ""));
    // The exchange may have the end of that link still before it.
    await eventually(async () => (await ask(one, "ask", "42", "hello")) === "nobody");
    expect([one.isClosed, sender.isClosed]).toEqual([false, false]);
    one.end();
    sender.end();
  },
  100_000,
);

test.concurrent("the exchange's sixth death within --max-seconds ends the program with 70", async () => {
  // A minute by default, which a slow machine may need for six.
  const served = await serve("--max-seconds=600");
  const [one] = await pair(served);
  for (let death = 1; death <= 6; death++) {
    const osPid = await eventually(() => exchangePid(served));
    // Killed while it starts it would be a failed start.
    await eventually(async () => series(await metrics(served), "drover_exchange_links") === 2, 20_000);
    expect(one.isClosed, `closed by death ${death}`).toBe(false);
    process.kill(osPid as number, "SIGKILL");
    if (death < 6) await eventually(() => ![undefined, osPid].includes(exchangePid(served)), 20_000);
  }
  expect(await served.program.exited).toEqual({ code: 70, signal: null });
}, 100_000);
