/** Programs that peer tests need. A missing one skips its tests with a message; with PEERS=required it is a failure. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join, resolve } from "node:path";
import { test } from "vitest";

/** Path of a program, from the variable of its name in capitals or from PATH. */
export function find(name: string): string | undefined {
  const named = process.env[name.toUpperCase()];
  const candidates = named
    ? [named]
    : (process.env.PATH ?? "").split(delimiter).map((dir) => join(dir, name));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** `test` if the program is installed, `test.skip` otherwise; `install` is the command to install it. */
export function testWith(name: string, install: string): typeof test {
  return find(name) ? test : missing(name, install);
}

function missing(name: string, install: string): typeof test {
  if (process.env.PEERS === "required")
    throw new Error(`${name} is required here and not installed: ${install}`);
  process.stderr.write(
    `\n*** SKIPPED: the tests against a real ${name}, which is not installed: ${install}\n\n`,
  );
  return test.skip as typeof test;
}

export function version(name: string, ...args: string[]): string {
  return execFileSync(find(name) as string, args, { encoding: "utf8" }).trim();
}

export const packageFolder = (): string => resolve(process.env.PEER_PACKAGES ?? ".");

/** As `testWith`, for an npm package that only these tests use. PEER_PACKAGES is the folder where it is installed. */
export function testWithPackage(name: string): { readonly test: typeof test; load(): any } {
  const folder = packageFolder();
  if (!existsSync(join(folder, "node_modules", name))) {
    const install = `npm install --prefix FOLDER ${name}, with FOLDER in the variable PEER_PACKAGES`;
    return { test: missing(name, install), load: () => undefined };
  }
  return { test, load: () => createRequire(join(folder, "package.json"))(name) };
}
