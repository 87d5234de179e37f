/** How long a gate keeps a refusal: an address that floods is not asked about for each of its clients. */
import { expect, test } from "vitest";
import { Gate } from "../../../src/tcp/admission/gate.js";
import type { AddressRefusal } from "../../../src/tcp/admission/terms.js";
import { manualClock } from "../../support/serving.js";

const FULL: AddressRefusal = { reason: "address_connections", ms: 10 };

function asking(answer: () => AddressRefusal | undefined) {
  let asked = 0;
  const gate = new Gate("main", {
    authority: {
      take: (_listener, _group, done) => {
        asked++;
        done(answer());
      },
      give: () => {},
    },
  });
  const enter = (address = "192.0.2.7") => {
    let refused: string | undefined;
    gate.enter(address, (reason) => {
      refused = reason;
    });
    return [refused, asked];
  };
  return { gate, enter };
}

test("an address that has all its connections is refused for as long as the answer says, without another question", async () => {
  const clock = manualClock();
  const { enter } = asking(() => FULL);
  expect(enter()).toEqual(["address_connections", 1]);
  for (let n = 0; n < 100; n++) expect(enter()).toEqual(["address_connections", 1]);
  expect(enter("192.0.2.8")).toEqual(["address_connections", 2]);
  await clock.advance(10);
  expect(enter()).toEqual(["address_connections", 3]);
});

test("as soon as one of its connections ends here, its next client is asked about", () => {
  manualClock();
  let full = true;
  const { gate, enter } = asking(() => (full ? FULL : undefined));
  expect(enter()).toEqual(["address_connections", 1]);
  full = false;
  gate.giveBack("192.0.2.7");
  expect(enter()).toEqual([undefined, 2]);
});

test("the end of a connection lifts no refusal for the rate of its address", () => {
  manualClock();
  const { gate, enter } = asking(() => ({ reason: "address_rate", ms: 100 }));
  expect(enter()).toEqual(["address_rate", 1]);
  gate.giveBack("192.0.2.7");
  expect(enter()).toEqual(["address_rate", 1]);
});
