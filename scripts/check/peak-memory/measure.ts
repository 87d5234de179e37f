// Peak of a worker's resident memory during a mix, above what it had before.
import { readFileSync, writeFileSync } from "node:fs";
import { FrameSocket } from "../chaos/frame-socket.js";
import { pause, Server } from "../chaos/server.js";
import type { Mix } from "./mixes.js";
import { PROTOCOL } from "./protocol.js";

export interface Peak {
  readonly beforeBytes: number;
  readonly peakBytes: number;
  /** What ended connections meanwhile, by reason. */
  readonly ended: ReadonlyMap<string, number>;
}

/** Garbage: V8 collects buffers once 64 MiB of them were allocated. */
export const SLACK_BYTES = 64 * 2 ** 20;

/** From /proc/PID/status, in bytes. */
function statusOf(osPid: number, name: "VmRSS" | "VmHWM"): number {
  const [, kib] =
    new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${osPid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

export async function peakOf(root: string, mix: Mix): Promise<Peak> {
  const server = await Server.open(root, { protocol: PROTOCOL, workers: 1, watchdog: "30s" });
  try {
    await server.start();
    await warmUp(server);
    const [osPid] = (await server.workers()) as [number];
    // Sets the high-water mark back to what is resident now.
    writeFileSync(`/proc/${osPid}/clear_refs`, "5");
    const beforeBytes = statusOf(osPid, "VmRSS");
    const sockets = await mix.run(server);
    const peakBytes = statusOf(osPid, "VmHWM");
    const ended = await endings(server);
    for (const socket of sockets) socket.destroy();
    return { beforeBytes, peakBytes, ended };
  } finally {
    await server.remove();
  }
}

async function warmUp({ ports }: Server): Promise<void> {
  for (let n = 0; n < 50; n++) {
    const client = new FrameSocket(ports.main);
    for (let m = 0; m < 20; m++) {
      client.send("hello");
      await client.next(5_000);
    }
    client.destroy();
  }
  await pause(500);
}

async function endings(server: Server): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const [, reason, count] of (await server.ask("GET", "/metrics")).matchAll(
    /^drover_connections_closed_total\{.*reason="(\w+)".*\} (\d+)$/gm,
  ))
    if (Number(count) > 0) found.set(reason!, (found.get(reason!) ?? 0) + Number(count));
  return found;
}
