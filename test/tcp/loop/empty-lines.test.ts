/** A flood of the shortest frames that there are: empty lines. */
import { expect, test } from "vitest";
import { defineProtocol, lines, stop } from "../../../src/index.js";
import { connected, serving } from "../../support/serving.js";
import { until } from "../../support/until.js";

test("a million empty lines are all handled, and another client is answered meanwhile", async () => {
  let empty = 0;
  const counter = defineProtocol({
    name: "counter",
    framing: lines(),
    states: {
      ready: {
        frame: (conn, line) => {
          if (line === "bye") return stop("bye");
          if (line === "") empty++;
          else conn.send(line);
        },
      },
    },
  });
  const server = await serving(counter);
  const flood = await connected(server);
  const honest = await connected(server);
  flood.write(Buffer.concat([Buffer.alloc(1_000_000, "\n"), Buffer.from("bye\n")]));
  await until(() => empty > 0);
  honest.write(Buffer.from("hello\n"));
  await until(() => honest.bytes.includes("hello\n"));
  expect(empty).toBeLessThan(1_000_000);
  await until(() => server.counters.active === 1);
  expect(empty).toBe(1_000_000);
});
