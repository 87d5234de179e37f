/** `/records`: the log of the program, filtered, also for readers that are slow. */
import { connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { until } from "../support/until.js";
import { ask, listenTo, running } from "./support.js";

const RECORD = { level: "warn", time: "2026-11-22T16:08:22.879Z", worker: 1, msg: "full" };

it("answers with the records that are kept, by level, worker, protocol and text", async () => {
  const admin = await running();
  admin.control.past = [RECORD];
  const { socketPath } = admin;
  expect((await ask({ socketPath }, { path: "/records" })).json).toEqual([RECORD]);
  expect(admin.control.filter).toEqual({ level: "info" });
  await ask({ socketPath }, { path: "/records?level=debug&worker=2&protocol=chat&text=no%20answer" });
  expect(admin.control.filter).toEqual({ level: "debug", worker: 2, protocol: "chat", text: "no answer" });
});

it.each(["level=loud", "worker=x", "protocol=", "names=1"])("refuses ?%s", async (query) => {
  const { socketPath } = await running();
  for (const path of ["/records", "/records/follow"])
    expect((await ask({ socketPath }, { path: `${path}?${query}` })).status).toBe(400);
});

it("goes on with new records, and nothing is followed when the client has gone", async () => {
  const admin = await running();
  admin.control.past = [RECORD];
  const heard = await listenTo(admin, "/records/follow?level=trace");
  await until(() => admin.control.followers.size === 1);
  admin.control.logged({ ...RECORD, msg: "new" });
  await until(() => heard.events.length === 2);
  expect(heard.events.map(({ event, data }) => [event, data.msg])).toEqual([
    ["record", "full"],
    ["record", "new"],
  ]);
  heard.close();
  await until(() => admin.control.followers.size === 0);
});

it("a client that reads too slowly loses records, is told how many, and keeps its connection", async () => {
  const admin = await running();
  const slow = connect(admin.port, "127.0.0.1", () => {
    slow.write("GET /records/follow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  });
  slow.pause();
  onTestFinished(() => void slow.destroy());
  await until(() => admin.control.followers.size === 1);
  // More than the buffers of the kernel hold.
  const TOLD = 1_000;
  for (let n = 0; n < TOLD; n++) {
    admin.control.logged({ ...RECORD, n, text: "x".repeat(16 * 1024) });
    await new Promise((resolve) => setImmediate(resolve));
  }
  let [records, lost] = [0, 0];
  let text = "";
  slow.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  slow.resume();
  await until(() => text.includes("event: lost"));
  await until(() => {
    records = text.match(/^event: record$/gm)?.length ?? 0;
    lost = [...text.matchAll(/"lost":(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
    return records + lost === TOLD;
  });
  expect(lost).toBeGreaterThan(0);
  expect(admin.control.followers.size).toBe(1);
});
