import { expect, it } from "vitest";
import { BATCH, MAX_BYTES, Outbox } from "../../../src/exchange/nodes/peer/outbox.js";

/** A batch of `length` bytes, as a stream makes it. */
function add(outbox: Outbox, length: number): ArrayBufferLike {
  const batch = (outbox.memory(length) ?? Buffer.allocUnsafeSlow(length)).subarray(0, length);
  outbox.add(batch, 1);
  return batch.buffer;
}

it("uses the memory of what it drops again: under full load no more than its 8 MiB", () => {
  let dropped = 0;
  const outbox = new Outbox((messages) => {
    dropped += messages;
  });
  const memory = new Set<ArrayBufferLike>();
  for (let n = 0; n < 1_000; n++) memory.add(add(outbox, BATCH - 100));
  const kept = Math.floor(MAX_BYTES / (BATCH - 100));
  expect(dropped).toBe(1_000 - kept);
  // The first one is no larger than it must be: nothing waited before it.
  expect(memory.size).toBeLessThanOrEqual(kept + 3);
  const sent = new Set<ArrayBufferLike>();
  outbox.send(({ buffer }) => sent.add(buffer) !== undefined);
  expect([sent.size, outbox.bytes]).toEqual([kept, 0]);
});

it("gives a small batch no more memory than it needs", () => {
  const outbox = new Outbox(() => {});
  outbox.add(Buffer.alloc(10), 1);
  expect(outbox.memory(BATCH / 2 - 1)).toBeUndefined();
  expect(outbox.memory(BATCH / 2)?.length).toBe(BATCH);
});
