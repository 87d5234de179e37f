/** `.ci/run` installs what the tests of test/peers need: there a missing program or package is a failure. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../support/program.js";

const script = readFileSync(join(ROOT, ".ci/run"), "utf8");
const sources = [join(ROOT, "test/peers"), join(ROOT, "test/support")].flatMap((dir) =>
  readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(dir, name), "utf8")),
);
const named = (pattern: RegExp) => [
  ...new Set(sources.flatMap((text) => [...text.matchAll(pattern)].map((found) => found[1]))),
];

test(".ci/run installs each npm package of the peer tests in a fixed version", () => {
  const names = named(/testWithPackage\("([^"]+)"\)/g);
  expect(names).toContain("publint");
  expect(names.filter((name) => !new RegExp(` ${name}@\\d+\\.\\d+\\.\\d+ `).test(script))).toEqual([]);
});

test(".ci/run installs each Debian package of the peer tests, but what each Debian has", () => {
  const names = named(/testWith\("[^"]+", "apt-get install ([^"]+)"\)/g)
    .flatMap((list) => list?.split(" ") ?? [])
    .filter((name) => name !== "util-linux");
  expect(names).toContain("haproxy");
  expect(names.filter((name) => !new RegExp(`[( ]${name}[ )]`).test(script))).toEqual([]);
});
