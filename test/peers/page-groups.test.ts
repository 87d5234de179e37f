/** The observer page in a real browser, on a server with groups: the exchange, the groups, and columns of connections. */
import { afterAll, afterEach, expect } from "vitest";
import { closeBrowser, findings } from "../support/browser.js";
import { chromium, client, endDesk, open, panel } from "../support/desk.js";
import { serveProtocol } from "../support/program.js";

afterEach(endDesk);
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
    expect(await table.getByRole("row").allInnerTexts()).toEqual(["room/large\t2", "room/small\t1"]);

    await page.getByRole("button", { name: "All connections" }).click();
    const list = page.getByRole("region", { name: "Connection table" }).getByRole("table");
    for (const name of ["Names", "Groups", "Missed"])
      await list.getByRole("columnheader", { name }).waitFor();
    expect(await findings(page)).toEqual([]);
    expect(complaints).toEqual([]);
  },
);
