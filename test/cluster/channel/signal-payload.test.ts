/** Payloads of signals between OS processes: what a receiver gets of what was sent. */
import { serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { decodePayload, encodePayload } from "../../../src/cluster/channel/signal-payload.js";
import { Pid } from "../../../src/otp/process/pid.js";

const pid = new Pid(3, 7);

function sent(value: unknown): any {
  const { payload, pids } = encodePayload(value);
  return decodePayload({ payload: Buffer.from(payload), pids });
}

describe("a pid in a message to another OS process", () => {
  it.each<[string, unknown, (copy: any) => unknown]>([
    ["the message itself", pid, (copy) => copy],
    ["a property", { from: pid }, ({ from }) => from],
    ["an array in an array", [1, [pid]], (copy) => copy[1][0]],
    ["a sparse array", Object.assign([], { 5: pid }), (copy) => copy[5]],
    ["an array's own property", Object.assign([1], { from: pid }), ({ from }) => from],
    ["a key of a map", new Map([[pid, 1]]), (copy) => [...copy.keys()][0]],
    ["a value of a map", new Map([["a", { pid }]]), (copy) => copy.get("a").pid],
    ["a set", new Set([pid]), (copy) => [...copy][0]],
    [
      "an object of a class",
      new (class {
        from = pid;
      })(),
      ({ from }) => from,
    ],
    ["an object without prototype", Object.assign(Object.create(null), { from: pid }), ({ from }) => from],
  ])("is a Pid again in %s", (_, value, find) => {
    const found = find(sent(value)) as Pid;
    expect(found).toBeInstanceOf(Pid);
    expect([String(found), found.equals(pid), found.label, JSON.stringify(found)]).toEqual([
      "<3.7>",
      true,
      "",
      '"<3.7>"',
    ]);
  });

  it("is the same object wherever it was the same", () => {
    const { a, b, list } = sent({ a: pid, b: new Pid(3, 7), list: [pid] });
    expect([a === list[0], a === b, a.equals(b)]).toEqual([true, false, true]);
  });

  it("is found in a message that contains itself", () => {
    const ring: { self?: unknown; next: unknown[] } = { next: [pid] };
    ring.self = ring;
    const copy = sent(ring);
    expect([copy.self === copy, copy.next[0] instanceof Pid]).toEqual([true, true]);
  });

  it("is found at the end of a list that is a hundred thousand long", () => {
    let list: unknown = pid;
    for (let n = 0; n < 1_000; n++) list = [list];
    const many = Array.from({ length: 100_000 }, (_, n) => new Pid(1, n + 1));
    const copy = sent({ many, list });
    expect(copy.many.every((one: unknown, n: number) => one instanceof Pid && one.serial === n + 1)).toBe(
      true,
    );
  });
});

describe("an object that looks like a pid", () => {
  it.each([
    [{ worker: 3, serial: 7 }],
    [{ from: { worker: 3, serial: 7 }, real: pid }],
    [JSON.parse('[{"worker":0,"serial":1},{"worker":"x"}]')],
  ])("stays a plain object: %j", (value) => {
    const copy = sent(value);
    expect(copy).toEqual(value);
    expect(Object.getPrototypeOf(copy.from ?? copy[0] ?? copy)).toBe(Object.prototype);
  });
});

describe("a message without pids", () => {
  it("is the bytes of its serialization, and is read once", () => {
    let reads = 0;
    const message = {
      get text() {
        reads++;
        return "worker, serial";
      },
    };
    const { payload, pids } = encodePayload(message);
    expect([Buffer.compare(payload, serialize({ text: "worker, serial" })), pids, reads]).toEqual([
      0,
      false,
      1,
    ]);
  });

  it.each([
    undefined,
    null,
    0n,
    "text",
    new Date(0),
    /x/g,
    new Uint8Array([1, 2]),
    Buffer.from("abc"),
    Object.assign([], { 2: 3 }),
    new Error("no", { cause: 1 }),
  ])("arrives as it is copied: %s", (value) => {
    expect(sent(value)).toEqual(value);
  });

  it("refuses what cannot be copied, in the sender", () => {
    expect(() => encodePayload({ from: pid, go: () => {} })).toThrow("could not be cloned");
  });
});

it("malformed bytes, and lists of what is no pid, are refused", () => {
  const bytes = (value: unknown) => ({ payload: serialize(value), pids: true });
  const bad = [{ payload: Buffer.from("no"), pids: false }, bytes(1), bytes([1, [null]]), bytes([1, ["x"]])];
  const worse = [bytes([1, [{ worker: "1", serial: 1 }]]), bytes([1, [{}]])];
  for (const one of [...bad, ...worse]) expect(() => decodePayload(one)).toThrow();
});
