/** The hub's tables against a model: random joins, leaves, ends of workers and messages. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Hub, type HubPort, NONE, type PidPair } from "../../src/groups/hub/hub.js";

const WORKERS = 3;
const GROUPS = ["a", "b", "c"];

class FakePort implements HubPort<number> {
  readonly worker: number;
  readonly got: [group: string, message: number, except: PidPair][] = [];
  constructor(worker: number) {
    this.worker = worker;
  }
  deliver(group: string, message: number, except: PidPair): void {
    this.got.push([group, message, except]);
  }
}

type Step =
  | {
      readonly do: "join" | "leave";
      readonly worker: number;
      readonly group: string;
      readonly serial: number;
    }
  | { readonly do: "end"; readonly worker: number }
  | { readonly do: "send"; readonly group: string };

const worker = fc.integer({ min: 1, max: WORKERS });
const named = fc.constantFrom(...GROUPS);
const serial = fc.integer({ min: 2, max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom("join" as const, "leave" as const), worker, group: named, serial }),
  fc.record({ do: fc.constant("end" as const), worker }),
  fc.record({ do: fc.constant("send" as const), group: named }),
);

test("counts, members and receivers are those of a list of memberships", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const hub = new Hub<number>();
      let ports = Array.from({ length: WORKERS }, (_, at) => new FakePort(at + 1));
      for (const port of ports) hub.attach(port);
      let model: { readonly worker: number; readonly group: string; readonly serial: number }[] = [];
      steps.forEach((one, at) => {
        if (one.do === "send") {
          for (const port of ports) port.got.length = 0;
          hub.publish(one.group, at, NONE);
          const receivers = ports.filter(({ got }) => got.length > 0).map((port) => port.worker);
          const expected = new Set(model.filter(({ group }) => group === one.group).map((row) => row.worker));
          expect(new Set(receivers)).toEqual(expected);
          for (const port of ports) expect(port.got.length).toBeLessThanOrEqual(1);
          return;
        }
        const port = ports[one.worker - 1] as FakePort;
        const same = (row: (typeof model)[0]) =>
          one.do !== "end" &&
          row.worker === one.worker &&
          row.group === one.group &&
          row.serial === one.serial;
        if (one.do === "end") {
          hub.detach(port);
          model = model.filter((row) => row.worker !== one.worker);
          ports = ports.map((old) => (old === port ? new FakePort(one.worker) : old));
          hub.attach(ports[one.worker - 1] as FakePort);
        } else if (one.do === "join") {
          hub.join(port, one.group, one.serial);
          if (!model.some(same)) model.push(one);
        } else {
          hub.leave(port, one.group, one.serial);
          model = model.filter((row) => !same(row));
        }
      });
      for (const group of GROUPS) {
        const rows = model.filter((row) => row.group === group);
        expect(hub.count(group)).toBe(rows.length);
        const pairs = rows
          .map((row) => [row.worker, row.serial])
          .sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!);
        expect(hub.members(group)).toEqual(pairs);
      }
      expect(hub.memberships).toBe(model.length);
      expect(hub.groupCount).toBe(new Set(model.map(({ group }) => group)).size);
    }),
    { numRuns: 300 },
  );
});
