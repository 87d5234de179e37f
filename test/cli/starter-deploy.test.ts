/** Files by which a starter project is run: those of scripts/deploy, with the project's name, folder and protocol. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { deployFiles } from "../../src/cli/commands/new-project/starter-deploy.js";

const read = (file: string) => readFileSync(join(import.meta.dirname, "../..", file), "utf8");
const files = deployFiles("my-chat", ["pm2", "docker", "systemd"], read);

test("there is a file for each, and no more than was asked for", () => {
  expect(Object.keys(files)).toEqual([
    ...["ecosystem.config.cjs", "Dockerfile", ".dockerignore", "my-chat.service", "my-chat.socket"],
  ]);
  expect(deployFiles("my-chat", [], read)).toEqual({});
});

test("they run the protocol of the project, from its folder", () => {
  expect(files["ecosystem.config.cjs"]).toContain('args: "start ./protocol.ts"');
  expect(files.Dockerfile).toContain('CMD ["drover", "start", "./protocol.ts"]');
  expect(files["my-chat.service"]).toMatch(
    /^WorkingDirectory=\/opt\/my-chat\nExecStart=\/usr\/bin\/node node_modules\/drover\/dist\/main\.js start \.\/protocol\.ts$/m,
  );
});

test("none of them speaks of files and folders of drover's own unit", () => {
  const text = Object.values(files).join("\n");
  expect(text).not.toMatch(
    /\/opt\/drover|drover\.(service|socket|env)|%t\/drover|RuntimeDirectory=drover|name: "drover"/,
  );
});

test("a file of scripts/deploy that has changed is not copied half adapted", () => {
  expect(() => deployFiles("my-chat", ["pm2"], () => "module.exports = {}")).toThrow(
    'not found in the file of scripts/deploy: name: "drover"',
  );
});
