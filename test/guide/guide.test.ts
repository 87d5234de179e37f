/** The guide: its code compiles, its dialogues are what the server says, its tests pass, its links lead somewhere. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { transformSync } from "esbuild";
import { afterAll, expect, test } from "vitest";
import { ROOT } from "../support/program.js";
import { play } from "./dialogue.js";
import { GUIDE, readPages } from "./pages.js";

const VALIBOT = join(ROOT, "node_modules/valibot");
const pages = readPages();
const dir = mkdtempSync(join(tmpdir(), "drover-guide-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Each page has a folder of its own, whose files may import one another. */
function write(page: string, file: string, code: string): string {
  const path = join(dir, page, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, code);
  return path;
}

test("its code compiles as strictly as ours", () => {
  for (const { name, files } of pages) for (const [file, code] of files) write(`types/${name}`, file, code);
  const tsconfig = {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: {
      paths: {
        drover: [join(ROOT, "src/index.ts")],
        "drover/testing": [join(ROOT, "src/testing.ts")],
        valibot: [join(VALIBOT, "dist/index.d.mts")],
      },
      typeRoots: [join(ROOT, "node_modules/@types")],
    },
    include: ["."],
    exclude: [],
  };
  write("types", "package.json", '{ "type": "module" }');
  const path = write("types", "tsconfig.json", JSON.stringify(tsconfig));
  const { stdout } = spawnSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", path], { encoding: "utf8" });
  expect(stdout).toBe("");
});

const dialogues = pages.flatMap(({ name, files, dialogues }) =>
  dialogues.map(({ file, lines }, n) => ({ name, files, file, lines, n })),
);

test.each(dialogues)("$name: dialogue $n, with $file", async ({ name, files, file, lines }) => {
  const library = join(ROOT, "src/index.ts");
  let path = "";
  for (const [one, code] of files) {
    if (one.endsWith(".test.ts")) continue;
    const written = write(
      `run/${name}`,
      one,
      code
        .replace('from "drover"', `from ${JSON.stringify(library)}`)
        .replace('from "valibot"', `from ${JSON.stringify(join(VALIBOT, "dist/index.mjs"))}`),
    );
    if (one === file) path = written;
  }
  await play((await import(path)).default, lines);
});

const tests = pages.flatMap(({ name, files }) =>
  [...files.keys()].filter((file) => file.endsWith(".test.ts")).map((file) => ({ name, file, files })),
);

test.each(tests)("$name: $file passes under node --test, with the built package", ({ name, file, files }) => {
  const folder = `test/${name}`;
  for (const [one, code] of files)
    write(folder, one.replace(/ts$/, "js"), transformSync(code, { loader: "ts", format: "esm" }).code);
  write(folder, "package.json", '{ "type": "module" }');
  mkdirSync(join(dir, folder, "node_modules"));
  symlinkSync(ROOT, join(dir, folder, "node_modules/drover"));
  const { status, stdout } = spawnSync(process.execPath, ["--test", file.replace(/ts$/, "js")], {
    cwd: join(dir, folder),
    encoding: "utf8",
    timeout: 50_000,
  });
  expect(status, stdout).toBe(0);
});

test("every file that it points to is there", () => {
  const missing = pages.flatMap(({ name, text }) =>
    [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)]
      .map(([, path]) => path as string)
      .filter((path) => !existsSync(join(GUIDE, path)))
      .map((path) => `${name}: ${path}`),
  );
  expect(missing).toEqual([]);
});
