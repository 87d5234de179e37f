/** A process of one's own that holds a name, as the guide shows it: two workers start one each, and one answers. */
import { afterAll, expect, test } from "vitest";
import { readPages } from "../../guide/pages.js";
import { http } from "../../support/admin-http.js";
import { endAll, run, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

const code = readPages()
  .find(({ name }) => name === "groups-and-names.md")
  ?.files.get("visits.ts") as string;

test("one holds the name for all workers; when its worker ends, the other one's takes over", async () => {
  const server = await serveProtocol("visits.ts", code, ["--workers=2"]);
  const add = async () =>
    (await run(["ask", "counter/visits", '{"add":1}', "--control", server.control])).stdout;
  const holder = async () => (await run(["whereis", "counter/visits", "--control", server.control])).stdout;
  const first = await eventually(async () => (await holder()) || false);
  expect([await add(), await add()]).toEqual(["1\n", "2\n"]);
  const slot = /^<(\d+)\./.exec(first)?.[1];
  const { body } = await http(server.adminPort, "/info");
  const workers = JSON.parse(body).workers as { worker: number; osPid: number }[];
  process.kill(workers.find(({ worker }) => String(worker) === slot)?.osPid as number, "SIGKILL");
  const second = await eventually(async () => {
    const now = await holder();
    return now !== "" && now !== first && now;
  });
  expect(second).not.toBe(first);
  expect(await eventually(async () => (await add()) || false)).toBe("1\n");
});
