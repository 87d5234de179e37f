/** The accessibility of the observer page, as axe judges it in a real browser: by colour scheme and size of screen. */
import { expect } from "vitest";
import { findings } from "../../support/browser.js";
import { chromium, client, item, LONG, open, panel, sharedDesk, traced } from "../../support/desk.js";

const desk = sharedDesk();

chromium.each([
  ["light", { colorScheme: "light" as const }],
  ["dark", { colorScheme: "dark" as const }],
  [
    "phone",
    { colorScheme: "light" as const, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  ],
  [
    "dark phone",
    { colorScheme: "dark" as const, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  ],
])("axe finds nothing serious: %s", async (_name, options) => {
  const served = desk();
  const { page } = await open(served, options);
  const [one, other, third] = [
    await client(served.port),
    await client(served.port),
    await client(served.port),
  ];
  await one.ask("hello");
  await third.ask("long");
  other.send("crash 1");
  await page.getByRole("log", { name: "Reports" }).waitFor();
  await page.getByRole("button", { name: "All connections" }).click();
  await page.getByRole("table").waitFor();
  await item(page, new RegExp(`^connection, a_state.*${LONG}$`)).waitFor();
  expect(await findings(page)).toEqual([]);
  await item(page, /^connection, known/).click();
  await panel(page).getByRole("button", { name: "Trace" }).click();
  await traced(page, one);
  expect(await findings(page)).toEqual([]);
  await panel(page).getByRole("button", { name: "Kill" }).click();
  expect(await findings(page)).toEqual([]);
});
