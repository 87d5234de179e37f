/** The observer page in a real browser, on a server with two listeners: their list, and actions on one of them. */
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, expect } from "vitest";
import { closeBrowser, findings } from "../../support/browser.js";
import { certificateFiles } from "../../support/certificates/certificates.js";
import { chromium, endDesk, ends, item, open, panel } from "../../support/desk.js";
import { freePort } from "../../support/ports.js";
import { Program } from "../../support/program.js";

afterEach(endDesk);
afterAll(closeBrowser);

/** `devices` with TLS and a limit, `ops` on a UNIX socket. */
async function serveTwo() {
  const [port, adminPort] = [await freePort(), await freePort()];
  const tls = certificateFiles("server");
  const listeners = [
    { name: "devices", protocol: "echo", host: "127.0.0.1", port, maxConnections: 4, tls },
    { name: "ops", protocol: "echo", path: "ops.sock" },
  ];
  const config = { workers: 2, adminPort, control: "control.sock", logFormat: "json", listeners };
  const files = { "acme.json": JSON.stringify(config) };
  const program = new Program(["start", "--config=acme.json"], { files });
  await program.line(({ msg }) => / serves /.test(msg ?? ""));
  return { program, port, adminPort, control: join(program.dir, "control.sock") };
}

/** The entry of a listener in the list. */
const listed = (page: Page, name: string) => panel(page).getByRole("listitem").filter({ hasText: name });

const press = (page: Page, name: string) => panel(page).getByRole("button", { name, exact: true }).click();

chromium(
  "both listeners are listed, one is suspended and resumed by a click, and the other serves on",
  async () => {
    const served = await serveTwo();
    const { page, complaints } = await open(served);
    const [devices, ops] = [listed(page, "devices"), listed(page, "ops")];
    await devices.getByText(`echo on 127.0.0.1:${served.port}, TLS`).waitFor();
    await devices.getByText("0 of 4").waitFor();
    await ops.getByText(/^echo on \/.*ops\.sock$/).waitFor();
    await item(page, /^devices/)
      .first()
      .waitFor();

    await press(page, "Suspend devices");
    const dialog = page.getByRole("dialog", { name: "Suspend the listener devices?" });
    await dialog.getByRole("button", { name: "Suspend", exact: true }).click();
    await devices.getByText("suspended", { exact: true }).waitFor();
    await ops.getByText("running", { exact: true }).waitFor();
    expect(await findings(page)).toEqual([]);

    const operator = connect(join(served.program.dir, "ops.sock"));
    ends.push(() => operator.destroy());
    operator.write("\0\x02hi");
    expect(String((await once(operator, "data"))[0])).toBe("\0\x02hi");
    await ops.getByText(/^1 of /).waitFor();
    await press(page, "Connections ops");
    await page.getByRole("table").getByText("ops", { exact: true }).waitFor();

    await press(page, "Resume devices");
    await page.getByRole("dialog").getByRole("button", { name: "Resume", exact: true }).click();
    await devices.getByText("running", { exact: true }).waitFor();
    expect(complaints).toEqual([]);
  },
);
