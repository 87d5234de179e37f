// Packages that are bundled with the program: a start loads a few files instead of a hundred, and only what is used.
import { existsSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";

const BUILTINS = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));

/** CommonJS packages `require` what comes with Node, which in an ES module is no function. */
export const requireBuiltins = {
  name: "require-builtins",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[\w:/]+$/ }, ({ kind, path }) =>
      kind === "require-call" && BUILTINS.has(path)
        ? { path: path.replace(/^node:/, ""), namespace: "builtin" }
        : undefined,
    );
    onLoad({ filter: /./, namespace: "builtin" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

const FOLDER = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//;

/**
 * The licences of the bundled packages, which require a copy with the code, with name and version of each.
 * @param metafiles of esbuild
 */
export function licencesOf(root, metafiles) {
  const folders = new Map();
  for (const path of metafiles.flatMap(({ inputs }) => Object.keys(inputs))) {
    const [folder, name] = FOLDER.exec(path) ?? [];
    if (folder !== undefined) folders.set(name, join(root, folder));
  }
  return [...folders]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, folder]) => {
      const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      const file = ["LICENSE", "LICENSE.md", "LICENCE", "license", "LICENSE.txt"].find((one) =>
        existsSync(join(folder, one)),
      );
      if (file === undefined) throw new Error(`${name} has no licence file that could be copied`);
      return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
    })
    .join("\n---\n\n");
}
