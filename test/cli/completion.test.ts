/** The completion scripts, in the shells that are here. */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.js";
import { completion, SHELLS } from "../../src/cli/completion.js";
import { OPTIONS } from "../../src/config/config.js";

const script = (shell: string) => completion({ positionals: [shell] }, COMMANDS);
const here = (shell: string) => spawnSync(shell, ["-c", "exit 0"]).status === 0;

/** Shell code that runs before the script. */
let stubbed = "";

async function withStub<T>(code: string, act: () => Promise<T>): Promise<T> {
  stubbed = code;
  return act().finally(() => {
    stubbed = "";
  });
}

/** What bash offers for the last word of a line. */
async function offered(...words: string[]): Promise<string[]> {
  const asking = `${stubbed}
${await script("bash")}
COMP_WORDS=(drover "$@"); COMP_CWORD=$#; _drover; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync("bash", ["-c", asking, "bash", ...words], {
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout.split("\n").filter((word) => word !== "");
}

it.each(SHELLS)("%s: the script is made of every command and every option", async (shell) => {
  const text = await script(shell);
  for (const { name } of COMMANDS) expect(text).toContain(name);
  for (const { flag } of OPTIONS) expect(text).toContain(shell === "fish" ? `-l ${flag.slice(2)}` : flag);
});

it.each(SHELLS)("%s: the shell itself finds nothing wrong with it", async (shell) => {
  if (!here(shell)) return;
  const { stderr, status } = spawnSync(shell, ["-n"], { input: await script(shell), encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
});

it("bash completes commands, their own words and flags, options and their values", async () => {
  expect(await offered("")).toEqual(COMMANDS.map(({ name }) => name));
  expect(await offered("dr")).toEqual(["drain"]);
  expect(await offered("log", "")).toEqual(["trace", "debug", "info", "warn", "error", "fatal", "silent"]);
  expect(await offered("drain", "--dead")).toEqual(["--deadline"]);
  expect(await offered("stop", "--dead")).toEqual([]);
  expect(await offered("tree", "--js")).toEqual(["--json"]);
  expect(await offered("start", "--max-")).toEqual([
    ...["--max-restarts", "--max-seconds", "--max-connections", "--max-memory", "--max-lag"],
    ...["--max-message", "--max-per-address"],
  ]);
  expect(await offered("start", "--transport", "h")).toEqual(["handle"]);
  expect(await offered("start", "--log-format", "=", "p")).toEqual(["pretty"]);
  expect(await offered("completion", "")).toEqual(["bash", "zsh", "fish"]);
});

it("bash asks the running server for the names of its listeners", async () => {
  const stub = `drover() { printf '%s\\n' '  "listeners": [' '    "listener": "ops",' '    "listener": "devices",'; }`;
  const asked = async (...words: string[]) => (await offered(...words)).sort();
  for (const command of ["suspend", "resume", "drain"])
    expect(await withStub(stub, () => asked(command, ""))).toEqual(["devices", "ops"]);
  expect(await withStub(stub, () => asked("connections", "--listener", "o"))).toEqual(["ops"]);
});

it("a shell that is not known is refused with those that are", async () => {
  await expect(script("tcsh")).rejects.toThrow('no completion for "tcsh": expected bash, zsh, fish');
  await expect(script("toString")).rejects.toThrow("no completion for");
});
