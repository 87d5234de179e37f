/** A worker's questions about addresses, where the primary answers late: the ledger must end up with nothing. */
import { MessageChannel } from "node:worker_threads";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import type { AddressAnswer, AddressCalls, ToPrimary } from "../../../src/cluster/channel/messages.js";
import { Addresses } from "../../../src/cluster/primary/admission/addresses.js";
import { WorkerAddresses } from "../../../src/cluster/worker/listeners/addresses.js";
import { ManualClock, useClock } from "../../../src/index.js";
import { turn, until } from "../../support/until.js";

const ADDRESS = "10.0.0.1";
/** At most two connections of an address. */
const LIMITS = { addresses: (scope: string) => (scope === "" ? { maxConnections: 2 } : undefined) };

/** A worker with this slot and the ledger of its primary, which reads when `answer` is called. At most two connections. */
function world(slot = 1) {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const primary = new Addresses(LIMITS);
  const { ledger } = primary;
  const sent: AddressCalls[] = [];
  const worker = new WorkerAddresses((message: ToPrimary) => {
    if (message.t === "addresses") sent.push(message.d);
  });
  const verdicts: (string | undefined)[] = [];
  return {
    ...{ ledger, verdicts },
    connect: async () => {
      worker.take("main", ADDRESS, (refusal) => void verdicts.push(refusal?.reason));
      await turn();
    },
    end: async () => {
      worker.give("main", ADDRESS);
      await turn();
    },
    patienceEnds: () => clock.advance(1_000),
    answer: async () => {
      for (const calls of sent.splice(0)) worker.received(primary.answer(slot, calls));
      await turn();
    },
    /** Places that are free. */
    free: () => [1, 2, 3].filter(() => ledger.take(9, "main", ADDRESS) === undefined).length,
  };
}

test("an answer that has arrived while the worker was blocked comes before the end of its patience", async () => {
  const verdicts: (string | undefined)[] = [];
  let asked = 0;
  const worker = new WorkerAddresses((message) => {
    if (message.t === "addresses") asked = message.d.take[0]?.[0] ?? 0;
  });
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  port1.on("message", (answers: readonly AddressAnswer[]) => worker.received(answers));
  worker.take("main", ADDRESS, (refusal) => void verdicts.push(refusal?.reason));
  await until(() => asked > 0);
  port2.postMessage([[asked, { reason: "address_connections", ms: 0 }]]);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_100);
  await until(() => verdicts.length === 1);
  expect(verdicts).toEqual(["address_connections"]);
});

test("a client is admitted when the primary has not answered for a second, and counted when it does", async () => {
  const { connect, patienceEnds, answer, end, verdicts, free } = world();
  await connect();
  expect(verdicts).toEqual([]);
  await patienceEnds();
  expect(verdicts).toEqual([undefined]);
  await answer();
  await end();
  await answer();
  expect(free()).toBe(2);
});

test("one that is refused late and has ended before does not take the place of the next", async () => {
  const { connect, patienceEnds, answer, end, ledger, free } = world();
  ledger.take(2, "main", ADDRESS);
  ledger.take(2, "main", ADDRESS);
  await connect();
  await patienceEnds();
  await end();
  await answer();
  ledger.drop(2);
  await connect();
  await answer();
  await end();
  await answer();
  expect(free()).toBe(2);
});

test("one that is refused late and goes on counts: its address gets no other when one that was counted ends", async () => {
  const { connect, patienceEnds, answer, end, ledger, verdicts } = world();
  ledger.take(2, "main", ADDRESS);
  ledger.take(2, "main", ADDRESS);
  await connect();
  await patienceEnds();
  await answer();
  await answer();
  ledger.give(2, "main", ADDRESS);
  await connect();
  await answer();
  expect(verdicts).toEqual([undefined, "address_connections"]);
  await end();
  await answer();
  await connect();
  await answer();
  expect(verdicts.at(-1)).toBeUndefined();
});

test("one that is refused late and goes on gives no other's place back at its end", async () => {
  const { connect, patienceEnds, answer, end, ledger, free } = world();
  ledger.take(2, "main", ADDRESS);
  ledger.take(2, "main", ADDRESS);
  await connect();
  await patienceEnds();
  await answer();
  await end();
  await answer();
  expect(free()).toBe(0);
  ledger.drop(2);
});

/** One step at a time: what the worker has sent waits for the primary, and what that answers for the worker. */
function slowWorld() {
  const clock = new ManualClock();
  const restore = useClock(clock);
  const primary = new Addresses(LIMITS);
  const { ledger } = primary;
  const sent: AddressCalls[] = [];
  const answers: AddressAnswer[][] = [];
  const worker = new WorkerAddresses((message: ToPrimary) => {
    if (message.t === "addresses") sent.push(message.d);
  });
  let open = 0;
  const steps = {
    connect: () =>
      worker.take("main", ADDRESS, (refusal) => {
        if (refusal === undefined) open++;
      }),
    end: () => {
      if (open === 0) return;
      open--;
      worker.give("main", ADDRESS);
    },
    recount: () => worker.recount(new Map([["main", Array<string>(open).fill(ADDRESS)]])),
    patience: () => clock.advance(1_000),
    turn: () => turn(),
    primary: () => {
      const calls = sent.shift();
      if (calls) answers.push(primary.answer(1, calls));
    },
    worker: () => worker.received(answers.shift() ?? []),
  };
  const settle = async () => {
    for (let round = 0; round < 3; round++) {
      await turn();
      while (sent.length > 0) steps.primary();
      while (answers.length > 0) steps.worker();
      await turn();
    }
  };
  return { ...{ steps, settle, ledger, restore }, open: () => open };
}

test("answers that come late, and recounts at any moment, leave the primary with exactly the open connections", async () => {
  const what = fc.constantFrom(
    ...(["connect", "connect", "end", "recount", "patience", "turn", "primary", "worker"] as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(what, { maxLength: 40 }), async (whats) => {
      const { steps, settle, ledger, open, restore } = slowWorld();
      try {
        for (const one of whats) await steps[one]();
        await settle();
        // A third holder takes what is left below the limit.
        const free = () => [1, 2].filter(() => ledger.take(9, "main", ADDRESS) === undefined).length;
        expect(free()).toBe(Math.max(0, 2 - open()));
        ledger.drop(9);
        while (open() > 0) steps.end();
        await settle();
        expect(free()).toBe(2);
      } finally {
        restore();
      }
    }),
    { numRuns: 300 },
  );
});
