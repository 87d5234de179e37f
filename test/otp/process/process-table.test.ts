import fc from "fast-check";
import { afterEach, expect, it } from "vitest";
import { parsePid } from "../../../src/otp/process/pid.js";
import { processCount, processOf } from "../../../src/otp/process/process.js";
import { Listener } from "../support.js";

const living = new Set<Listener>();

afterEach(() => {
  for (const one of living) one.quit("normal");
  living.clear();
});

it("each live process is found by the text of its pid, and no other, however many have ended", () => {
  const anybody = fc.array(fc.record({ starts: fc.nat(60), ends: fc.array(fc.nat(), { maxLength: 60 }) }), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(anybody, (rounds) => {
      const before = processCount();
      const all: Listener[] = [];
      for (const { starts, ends } of rounds) {
        for (let n = 0; n < starts; n++) {
          const one = new Listener();
          all.push(one);
          living.add(one);
        }
        for (const which of ends) all[which % Math.max(all.length, 1)]?.quit("normal");
      }
      for (const one of all) {
        const pid = parsePid(String(one.pid));
        expect(pid && processOf(pid)).toBe(one.alive ? one : undefined);
      }
      expect(processCount() - before).toBe(all.filter((one) => one.alive).length);
      for (const one of all) one.quit("normal");
      expect(processCount()).toBe(before);
    }),
  );
});
