/** The built program with a log file: standard output is empty, so readiness is read from the admin port. */

import { http, series } from "./admin-http.js";
import { freePort } from "./ports.js";
import { Program } from "./program.js";
import { eventually } from "./until.js";

/** Echoes, and logs 100 lines of a kilobyte at level trace for each frame: what is buffered is full after some twenty. */
export const TALKATIVE = `
import { defineProtocol, packet } from "drover";
const text = "x".repeat(1_000);
export default defineProtocol({
  name: "talkative",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        for (let n = 0; n < 100; n++) conn.log.trace(text);
        conn.send(frame);
      },
    },
  },
});
`;

export async function serveLogging(file: string, ...args: string[]) {
  const [port, adminPort] = [await freePort(), await freePort()];
  const program = new Program([
    ...["start", "--host=127.0.0.1", `--port=${port}`, `--admin-port=${adminPort}`, "--workers=2"],
    ...[`--log-file=${file}`, ...args],
  ]);
  // /ready needs one worker; tests of the log need both.
  await eventually(async () => {
    const metrics = await http(adminPort, "/metrics").catch(() => undefined);
    return metrics && series(metrics.body, "drover_worker_up") === 2;
  });
  return { program, port, adminPort };
}
