/** From where a starter project gets drover. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { dependency } from "../../src/cli/commands/new-project/starter-dependency.js";

/** A project with this package installed; returns the project and the folder of the package. */
function installed(files: Readonly<Record<string, object | string>>): [project: string, folder: string] {
  const project = mkdtempSync(join(tmpdir(), "drover-dependency-"));
  onTestFinished(() => rmSync(project, { recursive: true, force: true }));
  const all = { "node_modules/drover/package.json": { name: "drover", version: "0.3.1" }, ...files };
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(project, name)), { recursive: true });
    writeFileSync(join(project, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return [project, `${project}/node_modules/drover/`];
}

/** What npm writes about what it has installed. */
const lock = (resolved: string) => ({
  "node_modules/.package-lock.json": { packages: { "node_modules/drover": { resolved } } },
});
/** What yarn and pnpm leave: the wish. */
const wish = (specifier: string) => ({ "package.json": { dependencies: { drover: specifier } } });

test("a clone is the dependency itself", () => {
  expect(dependency("/srv/drover/")).toBe("file:/srv/drover/");
});

test("a package from a registry is asked for by its version", () => {
  const [, byNpm] = installed(lock("https://registry.example/drover/-/drover-0.3.1.tgz"));
  expect(dependency(byNpm)).toBe("^0.3.1");
  const [, byPnpm] = installed(wish("^0.3.0"));
  expect(dependency(byPnpm)).toBe("^0.3.1");
});

test("a package from a file is asked for by that file, or by its folder when the file is gone", () => {
  for (const files of [lock("file:drover.tgz"), wish("file:drover.tgz"), wish("./drover.tgz")]) {
    const [project, folder] = installed({ ...files, "drover.tgz": "" });
    expect(dependency(folder)).toBe(`file:${project}/drover.tgz`);
    rmSync(join(project, "drover.tgz"));
    expect(dependency(folder)).toBe(`file:${folder}`);
  }
  expect(dependency(installed(lock("git+ssh://git@host/drover.git#1"))[1])).toBe(
    "git+ssh://git@host/drover.git#1",
  );
});

test("a package of which is not known where it is from is asked for by its folder", () => {
  const [, folder] = installed({});
  expect(dependency(folder)).toBe(`file:${folder}`);
});
