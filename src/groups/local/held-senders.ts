/**
 * Connections that send to groups faster than their messages leave: they handle no further frame, so that TCP pushes
 * back on their clients alone. Where frames are not being handled, as in a timer, nothing is held; the bound on what
 * waits is kept by dropping.
 */
import type { ReaderWriter } from "../../tcp/connection/input/reader.js";
import { processLoop } from "../../tcp/loop/loop.js";
import type { Sender } from "../message.js";

let held: ReaderWriter[] = [];

/** Holds the connection whose frame is being handled. */
export function holdSender(): void {
  const io = processLoop.output.handling as ReaderWriter | undefined;
  if (io?.holdFrames()) held.push(io);
}

/** The process whose frame is being handled; `undefined` in a timer, or in another event. */
export function handlingProcess(): Sender | undefined {
  const pid = (processLoop.output.handling as ReaderWriter | undefined)?.pid;
  return pid && [pid.worker, pid.serial];
}

/** Lets all of them go. */
export function letSendersGo(): void {
  if (held.length === 0) return;
  const all = held;
  held = [];
  for (const io of all) io.letGo();
}
