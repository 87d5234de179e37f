/** Shutdown by signals: SIGTERM, a second one, SIGINT to the process group, SIGKILL of the primary. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { http } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { isAlive } from "../../support/os-processes.js";
import { endAll, type Served, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

/** Sends `goodbye` at shutdown; after `stay` it uses its whole shutdown time. */
const POLITE = `
import { defineProtocol, next, packet } from "drover";
export default defineProtocol({
  name: "polite",
  framing: packet(2),
  data: () => ({ stays: false }),
  states: {
    talking: {
      frame: (conn, frame) => {
        if (String(frame) === "stay") conn.data.stays = true;
        conn.send(frame);
      },
      shutdown: (conn) => {
        conn.send("goodbye");
        if (conn.data.stays) return next("staying");
      },
    },
    staying: { frame: (conn, frame) => conn.send(frame) },
  },
});
`;

function polite(...flags: string[]) {
  return serveProtocol("polite.ts", POLITE, flags, { detached: true });
}

describe("of one server, in order:", () => {
  let served: Served;
  beforeAll(async () => {
    served = await polite();
  });
  afterAll(endAll);

  test("SIGHUP changes nothing and says so", async () => {
    const { program, port } = served;
    program.signal("SIGHUP");
    await program.line((line) => String(line.msg).startsWith("SIGHUP"));
    const client = await FrameClient.connect(port);
    expect(await client.ask("hello")).toBe("hello");
    client.end();
  });

  test("Ctrl-C to the whole process group is one graceful stop, not one for each process", async () => {
    const { program, port } = served;
    const client = await FrameClient.connect(port);
    await client.ask("hello");
    const workers = program.workers();
    process.kill(-program.osPid, "SIGINT");
    expect((await client.receive()).toString()).toBe("goodbye");
    expect(await client.closed).toBe("end");
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(program.lines.filter((line) => line.report === "supervisor")).toEqual([]);
    for (const worker of workers) expect(isAlive(worker)).toBe(false);
  });
});

describe("of a server of its own:", () => {
  afterEach(endAll);

  test("SIGTERM: accepting stops first, connections say goodbye, the exit code is 0 and nothing is left; a connection that wants to go on gets its shutdown time, while no new client is accepted", async () => {
    const { program, port, adminPort } = await polite("--workers=2", "--shutdown=4s");
    const [client, stays] = [await FrameClient.connect(port), await FrameClient.connect(port)];
    await client.ask("hello");
    await stays.ask("stay");
    const workers = program.workers();
    program.signal("SIGTERM");
    expect((await client.receive()).toString()).toBe("goodbye");
    expect(await client.closed).toBe("end");
    expect((await stays.receive()).toString()).toBe("goodbye");
    expect(await stays.ask("one more")).toBe("one more");
    expect((await http(adminPort, "/ready")).status).toBe(503);
    // The other worker may close its copy of the listening socket later than this one.
    await eventually(() =>
      FrameClient.connect(port).then(
        (late) => void late.end(),
        ({ code }) => code === "ECONNREFUSED",
      ),
    );
    expect(stays.isClosed).toBe(false);
    expect(await program.exited).toEqual({ code: 0, signal: null });
    await stays.closed;
    for (const worker of workers) expect(isAlive(worker)).toBe(false);
  });

  test("a second signal ends it at once, whatever a connection still wants", async () => {
    const { program, port } = await polite("--workers=1", "--shutdown=10m");
    const client = await FrameClient.connect(port);
    await client.ask("stay");
    const workers = program.workers();
    program.signal("SIGTERM");
    await client.receive();
    program.signal("SIGTERM");
    await program.exited;
    for (const worker of workers) expect(isAlive(worker)).toBe(false);
  });

  test("when the primary is killed, its workers end by themselves", async () => {
    const { program, port } = await polite();
    const client = await FrameClient.connect(port);
    await client.ask("hello");
    const workers = program.workers();
    program.signal("SIGKILL");
    await program.exited;
    expect((await client.receive()).toString()).toBe("goodbye");
    await eventually(() => workers.every((worker) => !isAlive(worker)));
  });
});
