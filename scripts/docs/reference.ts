/**
 * Writes the reference, `guide/reference*.md`, from the source: comments of the public types, tables of commands,
 * options, metrics and routes. A test fails while the files are not what this writes.
 *
 *   node scripts/run.mjs reference
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { referencePages } from "./reference/pages.js";

const ROOT = join(import.meta.dirname, "../..");

for (const [file, text] of referencePages(ROOT)) {
  writeFileSync(join(ROOT, "guide", file), text);
  process.stdout.write(`guide/${file}\n`);
}
