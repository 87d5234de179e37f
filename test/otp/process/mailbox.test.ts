import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Mailbox } from "../../../src/otp/process/mailbox.js";

describe("Mailbox", () => {
  it("gives out the oldest first", () => {
    const mailbox = new Mailbox();
    for (const message of ["a", "b", "c"]) mailbox.push(message);
    expect([mailbox.shift(), mailbox.shift(), mailbox.length]).toEqual(["a", "b", 1]);
    expect(mailbox.list()).toEqual(["c"]);
  });

  it("has nothing to give when it is empty, and stays usable", () => {
    const mailbox = new Mailbox();
    expect(mailbox.shift()).toBeUndefined();
    expect(mailbox.length).toBe(0);
    mailbox.push("a");
    expect([mailbox.length, mailbox.shift()]).toEqual([1, "a"]);
  });

  it("takes a message out of the middle and keeps the others in order", () => {
    const mailbox = new Mailbox();
    for (let n = 0; n < 6; n++) mailbox.push(n);
    mailbox.shift();
    expect(mailbox.take((message) => message === 3)).toBe(3);
    expect(mailbox.take((message) => message === 0)).toBeUndefined();
    expect(mailbox.list()).toEqual([1, 2, 4, 5]);
  });

  it("does not keep what it has given out", () => {
    const mailbox = new Mailbox();
    // Never empty, as the mailbox of a busy process: the array behind it must not grow by its past.
    mailbox.push(0);
    for (let n = 1; n <= 200_000; n++) {
      mailbox.push(n);
      mailbox.shift();
    }
    expect(mailbox.list()).toEqual([200_000]);
  });

  it("behaves as a plain array would, whatever is done to it", () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant("push" as const), n: fc.nat(9) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant("shift" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("unshift" as const), n: fc.nat(9) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("take" as const), n: fc.nat(9) }) },
      // Enough at once to pass the point where the array behind it is cut.
      { weight: 1, arbitrary: fc.record({ do: fc.constant("flood" as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant("drain" as const), n: fc.integer({ min: 1, max: 1600 }) }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const mailbox = new Mailbox();
        const model: unknown[] = [];
        for (const one of steps) {
          if (one.do === "push") {
            mailbox.push(one.n);
            model.push(one.n);
          } else if (one.do === "unshift") {
            mailbox.unshift(one.n);
            model.unshift(one.n);
          } else if (one.do === "shift") {
            expect(mailbox.shift()).toBe(model.shift());
          } else if (one.do === "take") {
            const at = model.indexOf(one.n);
            expect(mailbox.take((message) => message === one.n)).toBe(
              at === -1 ? undefined : model.splice(at, 1)[0],
            );
          } else if (one.do === "flood") {
            for (let n = 0; n < 1500; n++) {
              mailbox.push(n % 7);
              model.push(n % 7);
            }
          } else {
            for (let n = 0; n < one.n; n++) expect(mailbox.shift()).toBe(model.shift());
          }
          expect(mailbox.length).toBe(model.length);
        }
        expect(mailbox.list()).toEqual(model);
      }),
      { numRuns: 200 },
    );
  });
});
