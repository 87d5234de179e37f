/** A client whose frames end workers: banned, if the operator asks for it, and where it is known which client it was. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { post } from "../../admin/support.js";
import { http, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, run, type Served, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

const EXPLOSIVE = `
import { EventEmitter } from "node:events";
import { defineProtocol, packet } from "drover";
const bang = () => { throw new Error("bang"); };
export default defineProtocol({
  name: "explosive",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        const word = String(frame);
        if (word === "timer") setTimeout(bang, 30);
        if (word === "emitter") setImmediate(() => new EventEmitter().on("news", bang).emit("news"));
        if (word === "spawn") conn.spawn(async () => void setTimeout(bang, 1));
        if (word === "signal") conn.signal.addEventListener("abort", bang);
        if (word === "nested") setTimeout(() => setTimeout(bang, 1), 1);
        conn.send(frame);
      },
    },
  },
});
`;

const POISON = "127.0.0.2";

/** Workers that have ended: until then a worker may take one more client with it. */
const ended = ({ program }: Served) =>
  program.lines.filter(({ report, supervisor }) => report === "supervisor" && supervisor === "drover").length;

const asks = async (port: number, localAddress?: string) => {
  const client = FrameClient.from(port, localAddress);
  const answer = await client.ask("hello").catch(() => undefined);
  client.socket.destroy();
  return answer === undefined ? undefined : String(answer);
};

test("with --exception-ban a client that ends workers ends one, and the others of four serve all other clients", async () => {
  const args = ["--workers=4", "--exception-ban=10m"];
  const served = await serveProtocol("explosive.ts", EXPLOSIVE, args);
  const { program, port, adminPort, control } = served;
  const second = FrameClient.from(port, POISON);
  expect(String(await second.ask("hello"))).toBe("hello");
  let [refused, exceptions] = [0, 0];
  for (let attempt = 0; refused < 20; attempt++) {
    // It sends its frame, and is gone before the timer expires.
    const client = FrameClient.from(port, POISON);
    client.send(attempt % 2 === 0 ? "timer" : "emitter");
    const echoed = await client.receive().catch(() => undefined);
    client.end();
    if (echoed === undefined) refused++;
    else {
      exceptions++;
      await program.line(({ event }) => event === "exception_ban");
      await program.until(() => ended(served) >= exceptions);
    }
    expect(await asks(port)).toBe("hello");
  }
  // Its other connection, too.
  await second.closed;
  const deaths = program.lines.filter(({ msg }) =>
    /outside of any process: the worker exits/.test(msg ?? ""),
  );
  expect(deaths.length).toBeLessThanOrEqual(2);
  const banned = program.lines.find(({ event }) => event === "exception_ban");
  expect(banned?.msg).toMatch(
    /^Banned 127\.0\.0\.2 for 10m: code of its connection has thrown outside of any process, which ended worker \d/,
  );
  await eventually(() => program.workers().length === 4);
  await eventually(async () => {
    const { body } = await http(adminPort, "/metrics");
    return (series(body, "drover_connections_refused_total", { reason: "banned" }) ?? 0) >= 20;
  });
  expect((await run(["bans", "--control", control])).stdout).toContain(POISON);
  await post({ socketPath: control }, "/unban", { address: POISON });
  await eventually(() => asks(port, POISON));
});

describe("with one worker, in order:", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serveProtocol("explosive.ts", EXPLOSIVE, ["--workers=1", "--exception-ban=1m"]);
  });

  test("where it is not certain which client it was, no address is banned", () =>
    endsWorkerUnbanned(served, "nested"));

  test.each([
    ["spawn", POISON],
    ["signal", "127.0.0.3"],
  ])("what conn.%s runs is put down to its client", async (word, from) => {
    const { program, port } = served;
    const before = ended(served);
    const client = FrameClient.from(port, from);
    await client.ask(word);
    client.end();
    await program.line(({ event, address }) => event === "exception_ban" && address === from);
    await program.until(() => ended(served) > before);
  });
});

test("by default, no address is banned", async () => {
  const args = ["--workers=1", "--exception-ban=0"];
  await endsWorkerUnbanned(await serveProtocol("explosive.ts", EXPLOSIVE, args), "timer");
});

async function endsWorkerUnbanned({ program, port, control }: Served, word: string): Promise<void> {
  const client = FrameClient.from(port, POISON);
  await client.ask(word);
  await program.line(({ report }) => report === "supervisor");
  expect(await eventually(() => asks(port, POISON))).toBe("hello");
  expect((await run(["bans", "--control", control])).stdout).toBe("no address is banned\n");
}
