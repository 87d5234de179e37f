/** The observer page in a real browser, on a server with groups: the exchange, the groups, columns of connections, other servers. */
import { afterAll, afterEach, expect } from "vitest";
import { AGENT_PROTOCOL } from "../../support/agent.js";
import { closeBrowser, findings } from "../../support/browser.js";
import { chromium, client, endDesk, open, panel } from "../../support/desk.js";
import { endNatsServers, NatsServer } from "../../support/nats-server.js";
import { childrenOf } from "../../support/os-processes.js";
import { find, testWith } from "../../support/peers.js";
import { serveProtocol } from "../../support/program.js";

afterEach(async () => {
  await endDesk();
  await endNatsServers();
});
afterAll(closeBrowser);

const PROTOCOL = `
import { defineProtocol, forward, groups, names, packet } from "drover";
const rooms = groups<string>("room");
const devices = names<any, any>("device");
export default defineProtocol({
  name: "rooms",
  framing: packet(2),
  takes: rooms,
  answers: devices,
  states: {
    ready: {
      frame: async (conn, frame) => {
        for (const room of String(frame).split(" ")) rooms(room).join(conn);
        if (String(frame).includes(" ")) await devices.claim(conn, "42");
        conn.send("ok");
      },
      message: forward,
      request: (conn, request) => request.reply("ok"),
    },
  },
});
`;

chromium(
  "the exchange, the groups with most members first, and names and groups of connections",
  async () => {
    const served = await serveProtocol("rooms.ts", PROTOCOL, ["--workers=2"]);
    const [one, other] = [await client(served.port), await client(served.port)];
    expect(await one.ask("small large")).toBe("ok");
    expect(await other.ask("large")).toBe("ok");
    const { page, complaints } = await open(served);
    await panel(page)
      .getByText(/^Exchange: 2 links, 2 groups, 3 memberships/)
      .waitFor();
    const table = panel(page).getByRole("table", { name: "2 in all" });
    await table.waitFor();
    await expect
      .poll(() => table.getByRole("row").allInnerTexts())
      .toEqual(["room/large\t2", "room/small\t1"]);

    await page.getByRole("button", { name: "All connections" }).click();
    const list = page.getByRole("region", { name: "Connection table" }).getByRole("table");
    for (const name of ["Names", "Groups", "Missed"])
      await list.getByRole("columnheader", { name }).waitFor();
    expect(await findings(page)).toEqual([]);
    expect(complaints).toEqual([]);
  },
);

const withNats = find("nats-server") ? chromium : testWith("nats-server", "apt-get install nats-server");

withNats("the other server is up with its round trip, and down when it is killed", async () => {
  const nats = await NatsServer.start();
  const serve = (node: string) =>
    serveProtocol("agent.ts", AGENT_PROTOCOL, [
      ...["--workers=1", "--cluster=page", `--nats=${nats.url}`, `--node=${node}`],
    ]);
  const [here, there] = await Promise.all([serve("here"), serve("there")]);
  const { page, complaints } = await open(here);
  const table = panel(page).getByRole("table", { name: "Nodes" });
  const row = table.getByRole("row").filter({ hasText: "there" });
  await row.getByText("up", { exact: true }).waitFor();
  await row.getByRole("cell", { name: /^\d+\.\d ms$/ }).waitFor();
  await panel(page)
    .getByText(/^here, NATS up, \d+\.\d ms$/)
    .waitFor();
  expect(await findings(page)).toEqual([]);

  // All of its OS processes: a primary alone would leave the others to say goodbye.
  const { osPid } = there.program;
  for (const one of [osPid, ...childrenOf(osPid)]) process.kill(one, "SIGKILL");
  await row.getByText("down", { exact: true }).waitFor();
  await expect.poll(() => row.getByText(/ ms$/).count()).toBe(0);
  expect(await findings(page)).toEqual([]);
  expect(complaints).toEqual([]);
});
