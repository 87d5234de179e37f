/** The accessibility of the observer page, as axe judges it in a real browser: by colour scheme and size of screen. */
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { findings } from "../../support/browser.js";
import { chromium, client, item, LONG, open, panel, sharedDesk, traced } from "../../support/desk.js";

const desk = sharedDesk();

/** Violations in both colour schemes: `dark` stands before those of the dark one. */
async function findingsOfBoth(page: Page): Promise<string[]> {
  const light = await findings(page);
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = (await findings(page)).map((one) => `dark: ${one}`);
  await page.emulateMedia({ colorScheme: "light" });
  return [...light, ...dark];
}

chromium.each([
  ["on a desk", {}],
  ["on a phone", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
])("axe finds nothing serious, light or dark: %s", async (_name, options) => {
  const served = desk();
  const { page } = await open(served, { colorScheme: "light", ...options });
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
  expect(await findingsOfBoth(page)).toEqual([]);
  await item(page, /^connection, known/).click();
  await panel(page).getByRole("button", { name: "Trace" }).click();
  await traced(page, one);
  expect(await findingsOfBoth(page)).toEqual([]);
  await panel(page).getByRole("button", { name: "Kill" }).click();
  expect(await findingsOfBoth(page)).toEqual([]);
});
