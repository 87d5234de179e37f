/** The connection that has been idle for longest: always the right one, without a scan for each. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { IdleLongest } from "../../../src/tcp/admission/idle-longest.js";

test("whatever comes, goes, speaks and works meanwhile, it is the one that has been idle for longest", () => {
  const step = fc.oneof(
    fc.record({ what: fc.constantFrom("open", "take"), at: fc.nat(200) }),
    fc.record({ what: fc.constantFrom("frame", "work", "leave"), at: fc.nat(200) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.nat(200), (steps, first) => {
      let now = 0;
      let all: { idleSince: number }[] = [];
      const idle = new IdleLongest(() => all);
      const open = () => void all.push({ idleSince: now++ });
      for (let n = 0; n < first; n++) open();
      for (const { what, at } of steps) {
        now++;
        const one = all[at % Math.max(1, all.length)];
        if (what === "open") open();
        else if (what === "take") {
          const since = all.map(({ idleSince }) => idleSince).filter((ms) => ms !== Infinity);
          const taken = idle.next();
          expect(taken?.idleSince).toBe(since.length === 0 ? undefined : Math.min(...since));
          if (taken) taken.idleSince = Infinity;
          all = all.filter((other) => other !== taken);
        } else if (one && what === "frame") one.idleSince = now;
        else if (one && what === "work") one.idleSince = Infinity;
        else all = all.filter((other) => other !== one || what !== "leave");
        if (one && what === "leave") one.idleSince = Infinity;
      }
    }),
  );
});

test("1,000 are taken of 10,000 with one scan for each 313", () => {
  let scans = 0;
  let all = Array.from({ length: 10_000 }, (_, at) => ({ idleSince: (at * 7_919) % 10_007 }));
  const idle = new IdleLongest(() => {
    scans++;
    return all;
  });
  let before = -1;
  for (let n = 0; n < 1_000; n++) {
    const one = idle.next()!;
    expect(one.idleSince).toBeGreaterThan(before);
    before = one.idleSince;
    one.idleSince = Infinity;
  }
  all = [];
  expect(scans).toBeLessThanOrEqual(4);
});
