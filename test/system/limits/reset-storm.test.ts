/** Thousands of clients that connect and reset at once, beside one that does neither. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { afterAll, expect, test } from "vitest";
import { http, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { socketsOf } from "../../support/os-processes.js";
import { endAll, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

const CLIENTS = 3_000;

/** Connects, sends the beginning of a frame or nothing, and resets. */
const reset = (port: number, bytes: Buffer | undefined) =>
  new Promise<void>((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => {});
    socket.on("close", () => resolve());
    socket.on("connect", () => {
      if (bytes) socket.write(bytes);
      socket.resetAndDestroy();
    });
  });

/**
 * Number of TCP sockets that the workers hold. Copies of the listening socket count once, and pipes and UNIX
 * sockets do not: threads and copies come whenever the OS gives them time, also after "serves".
 */
function tcpSockets(osPids: readonly number[]): number {
  const local = new Set(readFileSync("/proc/net/unix", "latin1").match(/\b\d+\b/g));
  const sockets = new Set(osPids.flatMap((osPid) => [...socketsOf(osPid)]));
  return [...sockets].filter((inode) => !local.has(inode)).length;
}

test("thousands of clients that connect and reset cost an honest one nothing, and leave nothing behind", async () => {
  const { program, port, adminPort } = await serveProgram(["--workers=2", "--max-lag=0", "--watchdog=0"]);
  const workers = program.workers();
  const honest = await FrameClient.connect(port);
  expect(await honest.ask("before")).toBe("before");
  // The listening socket, and the honest client's.
  await eventually(() => tcpSockets(workers) === 2);
  const lines = program.lines.length;
  let left = CLIENTS;
  const loop = async (bytes: Buffer | undefined) => {
    while (left-- > 0) await reset(port, bytes);
  };
  const storm = Promise.all([undefined, Buffer.from([0]), Buffer.from([0, 9, 1]), undefined].map(loop));
  let answers = 0;
  while (left > 0) expect(await honest.ask(`answer ${++answers}`)).toBe(`answer ${answers}`);
  await storm;
  expect(answers).toBeGreaterThan(0);
  await eventually(async () => {
    const { body } = await http(adminPort, "/metrics");
    const sum = (name: string) => series(body, name) ?? 0;
    const accepted = sum("drover_connections_accepted_total");
    return (
      accepted > CLIENTS / 2 &&
      sum("drover_connections_active") === 1 &&
      sum("drover_connections_closed_total") === accepted - 1
    );
  });
  await eventually(() => tcpSockets(workers) === 2);
  expect(program.workers()).toEqual(workers);
  // Resets are nothing that an operator must know of at once; a busy machine may be.
  const told = program.lines.slice(lines).filter(({ level, msg }) => {
    return level !== "info" && !/^Event loop blocked/.test(msg ?? "");
  });
  expect(told).toEqual([]);
  honest.end();
});
