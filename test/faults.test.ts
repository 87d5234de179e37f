/** `FAULTS.md`: every row of the catalogue is there, with tests that exist or with a reason. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const FROM_TO: Readonly<Record<string, readonly (readonly [from: number, to: number])[]>> = {
  F: [
    [1, 35],
    [40, 52],
    [60, 75],
    [80, 100],
  ],
  B: [
    [1, 17],
    [30, 36],
    [50, 61],
    [70, 79],
  ],
};

const IDS = Object.entries(FROM_TO).flatMap(([letter, ranges]) =>
  ranges.flatMap(([from, to]) =>
    Array.from({ length: to - from + 1 }, (_, n) => `${letter}${String(from + n).padStart(2, "0")}`),
  ),
);

const text = readFileSync("test/FAULTS.md", "utf8");

/** The last cell of each row of a table, by its first. */
const rows = text.split("\n").flatMap((line) => {
  const cells = line.split(" | ").map((cell) => cell.replace(/^\| | \|$/g, ""));
  const [first = "", last = ""] = [cells[0], cells.at(-1)];
  return line.startsWith("| ") ? [{ id: first, last }] : [];
});

/** `file`: title, of which there may be several. */
const cited = [...text.matchAll(/`([a-z][\w/-]*)`: (.+?)(?= <br>| \|$)/gm)].map(([, file, title]) => ({
  file: `test/${file}`,
  title: title as string,
}));

test("each row of the catalogue is there once, with tests or with a reason", () => {
  const listed = rows.filter(({ id }) => /^[FB]\d+$/.test(id));
  expect(listed.map(({ id }) => id)).toEqual(IDS);
  expect(listed.filter(({ last }) => !/^(`[\w/-]+`: |Left out)/.test(last))).toEqual([]);
});

test("each title that is named is in its file", () => {
  expect(cited.length).toBeGreaterThan(IDS.length);
  const missing = cited.filter(({ file, title }) => {
    const path = [`${file}.test.ts`, `${file}.ts`].find((one) => existsSync(one));
    return path === undefined || !readFileSync(path, "utf8").includes(title);
  });
  expect(missing).toEqual([]);
});
