/** The built program with a log file: standard output is empty, so readiness is read from the admin port. */

import { http, series } from "./admin-http.js";
import { freePort } from "./ports.js";
import { Program } from "./program.js";
import { eventually } from "./until.js";

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
