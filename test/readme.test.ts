/** The README says what the program does. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { optionsTable } from "../src/config/config.js";

const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");

test("the options of the README are those of the program", () => {
  const shown = /<!-- options -->\n([\s\S]*?)\n<!-- \/options -->/.exec(readme)?.[1];
  expect(shown?.trim()).toBe(optionsTable().trim());
});

test("every file that the README points to is there", () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) => path as string);
  const missing = links.filter((path) => {
    try {
      readFileSync(join(import.meta.dirname, "..", path.endsWith("/") ? `${path}README.md` : path));
      return false;
    } catch {
      return true;
    }
  });
  expect(missing).toEqual([]);
});
