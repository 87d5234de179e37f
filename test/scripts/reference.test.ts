/** The reference of the guide is what the source says. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { referencePages } from "../../scripts/docs/reference/pages.js";
import { docText } from "../../scripts/docs/reference/source.js";

const ROOT = join(import.meta.dirname, "../..");
const pages = referencePages(ROOT);

describe("guide/reference*.md", () => {
  it.each([...pages])("%s is up to date: node scripts/run.mjs reference", (file, text) => {
    expect(readFileSync(join(ROOT, "guide", file), "utf8")).toBe(text);
  });

  it("has no page that is no longer made", () => {
    const found = readdirSync(join(ROOT, "guide")).filter((name) => name.startsWith("reference"));
    expect(found.sort()).toEqual([...pages.keys()].sort());
  });

  it("lists what a protocol can have and call", () => {
    const text = pages.get("reference-protocol.md") as string;
    for (const one of [
      "send(frame: Out): boolean",
      "frame?(conn: C, frame: In)",
      "maxOutbound: number",
      "peer: Peer",
    ])
      expect(text).toContain(`- \`${one}`);
  });

  it("lists what a request has, what can be sent, and the values of resp", () => {
    const groups = pages.get("reference-groups.md") as string;
    for (const one of [
      "body: C",
      "signal: AbortSignal",
      "fail(why: string)",
      "type Portable = Json | Uint8Array",
    ])
      expect(groups).toContain(`- \`${one}`);
    const framings = pages.get("reference-framings.md") as string;
    for (const one of ["new RespError(message: string)", "type RespValue = string | Uint8Array | number"])
      expect(framings).toContain(`- \`${one}`);
  });

  it("says of every close reason what it means", () => {
    const text = pages.get("reference-metrics.md") as string;
    expect([...text.matchAll(/^\| `(\w+)` \| {2}\|$/gm)].map(([, reason]) => reason)).toEqual([]);
  });
});

it("a comment is one text, its tags sentences of their own", () => {
  expect(
    docText(
      "/** Sends a frame; later\n   * it leaves.\n   * @returns whether there is room\n   * @throws TypeError never */",
    ),
  ).toBe("Sends a frame; later it leaves. Returns whether there is room. Throws TypeError never.");
});
