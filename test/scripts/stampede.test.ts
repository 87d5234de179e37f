/** A short stampede on the built program; the whole minute is `node scripts/run.mjs chaos --stampede`. */
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { Server } from "../../scripts/check/chaos/server.js";
import { stampedeAt } from "../../scripts/check/chaos/stampede.js";

it.skipIf(process.platform !== "linux")(
  "200 clients at full speed, connections and a worker killed: no hang, no wrong byte, the books balance, nothing is left",
  async () => {
    const plan = { seconds: 6, seed: 1, only: "", stampede: true };
    const server = await Server.open(join(import.meta.dirname, "../.."));
    onTestFinished(() => server.remove());
    await server.startMeasured();
    const { violations, report } = await stampedeAt(server, plan, () => {}, new AbortController().signal);
    expect(violations).toEqual([]);
    expect(report).toMatch(/^killed: \d{2,} connections, 1 workers$/m);
  },
);
