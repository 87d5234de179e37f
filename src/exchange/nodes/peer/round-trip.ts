/**
 * Round trip to another server, measured by the heartbeats: each says when it was sent, and repeats when the last one of
 * the other server was sent and how long that was kept. No clocks of two servers are compared, and nothing more is sent.
 *
 *   a ── sent at 10 ──▶ b keeps it for 80 ms ── sent at 10, kept 80 ──▶ a: it is 92, so the round trip is 2 ms
 */
import { clock } from "../../../otp/time/clock.js";
import { atLeast, MalformedRecord } from "../../records/malformed-record.js";
import type { RecordWriter } from "../../records/records.js";
import { PEER_KIND } from "./peer-records.js";

const BODY = 3 * 8;
/** In place of a time: no heartbeat has come, or it was repeated already. */
const NONE = -1;
/** Part of a new measurement in the mean: eight come in a second. */
const GAIN = 1 / 8;

export class RoundTrip {
  /** Mean of about the last second in milliseconds; `undefined`: not measured yet. */
  ms: number | undefined = undefined;
  /** When the last heartbeat was sent, by the clock of the other server, and when it came, by ours. */
  #sentAt = NONE;
  #cameAt = 0;

  /** Adds to a heartbeat that is sent now. */
  write(writer: RecordWriter): void {
    const now = clock.now();
    const at = writer.add(PEER_KIND.beat, "", BODY);
    writer.buffer.writeDoubleBE(now, at);
    writer.buffer.writeDoubleBE(this.#sentAt, at + 8);
    writer.buffer.writeDoubleBE(now - this.#cameAt, at + 16);
    this.#sentAt = NONE;
  }

  /** A heartbeat has come. @throws MalformedRecord when it is malformed */
  received(body: Buffer): void {
    const now = clock.now();
    const sentAt = atLeast(body, BODY).readDoubleBE(0);
    const repeated = body.readDoubleBE(8);
    const kept = body.readDoubleBE(16);
    const ms = repeated === NONE ? undefined : now - repeated - kept;
    const valid = ms === undefined || (Number.isFinite(ms) && repeated >= 0 && repeated <= now && kept >= 0);
    if (!Number.isFinite(sentAt) || !valid) throw new MalformedRecord("a heartbeat whose times cannot be");
    this.#sentAt = sentAt;
    this.#cameAt = now;
    if (ms !== undefined) this.#measured(Math.max(0, ms));
  }

  #measured(ms: number): void {
    this.ms = this.ms === undefined ? ms : this.ms + GAIN * (ms - this.ms);
  }
}
