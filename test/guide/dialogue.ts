/** Plays a dialogue of the guide: a client that speaks the protocol's framing, with frames as text. */
import { deepEqual } from "node:assert/strict";
import { encode } from "../../src/framing/framing.js";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";
import { toMs } from "../../src/otp/time/duration.js";
import type { AnyProtocol } from "../../src/tcp/protocol/protocol.js";
import { serve } from "../../src/tcp/serve.js";
import { Client } from "../support/client.js";
import { until } from "../support/until.js";
import type { Line } from "./pages.js";

/** @throws AssertionError when the server says something else */
export async function play(protocol: AnyProtocol, lines: readonly Line[]): Promise<void> {
  const clock = new ManualClock();
  const restore = useClock(clock);
  const server = await serve(protocol, { port: 0 });
  const { counters } = server;
  const client = await Client.connect(server.port);
  let sent = 0;
  const heard: Line[] = [];
  try {
    await until(() => counters.active === 1);
    for (const { kind, text } of lines) {
      if (kind === ">") {
        const bytes = toBytes(protocol, text);
        client.write(bytes);
        sent += bytes.length;
      } else if (kind === "+") {
        await until(() => counters.bytesReceived === sent);
        await clock.advance(toMs(text));
      } else if (kind === "<") {
        const count = heard.filter((one) => one.kind === "<").length + 1;
        await until(() => framesOf(protocol, client).length >= count || client.ended);
        heard.push({ kind, text: framesOf(protocol, client)[count - 1] ?? "nothing: the server has closed" });
        continue;
      } else {
        await client.end();
        heard.push({ kind, text: "closed" });
        continue;
      }
      heard.push({ kind, text });
    }
    deepEqual(heard, lines);
  } finally {
    await client.close();
    await server.stop();
    restore();
  }
}

const isJson = ({ framing }: AnyProtocol): boolean => framing.name.startsWith("json");

/** A line is written as it is: the client may send one that is too long. */
function toBytes(protocol: AnyProtocol, text: string): Buffer {
  if (protocol.framing.name.startsWith("lines")) return Buffer.from(`${text}\n`);
  if (isJson(protocol)) return encode(protocol.framing, JSON.parse(text));
  return encode(protocol.framing, text.replaceAll("\\n", "\n"));
}

/** All frames that have come so far. */
function framesOf(protocol: AnyProtocol, client: Client): string[] {
  const decoder = protocol.framing.decoder();
  decoder.push(Buffer.from(client.bytes));
  const frames: string[] = [];
  for (let frame = decoder.pull(); frame !== undefined; frame = decoder.pull())
    frames.push(isJson(protocol) ? JSON.stringify(frame) : String(frame));
  return frames;
}
