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

/** What one bash offers for the last word of each line. */
async function offered(...lines: (readonly string[])[]): Promise<string[][]> {
  const asked = lines.map((words) => `ask ${words.map((word) => `'${word}'`).join(" ")}`);
  const asking = `${stubbed}
${await script("bash")}
ask() { COMP_WORDS=(drover "$@"); COMP_CWORD=$#; COMPREPLY=(); _drover; printf '%s\\n' "\${COMPREPLY[@]}" =; }
${asked.join("\n")}`;
  const { stdout, stderr, status } = spawnSync("bash", ["-c", asking], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  const answers = stdout.split("=\n").slice(0, -1);
  return answers.map((text) => text.split("\n").filter((word) => word !== ""));
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
  const offers: readonly (readonly [line: string, offered: readonly string[]])[] = [
    ["", COMMANDS.map(({ name }) => name)],
    ["dr", ["drain"]],
    ["log ", ["trace", "debug", "info", "warn", "error", "fatal", "silent"]],
    ["drain --dead", ["--deadline"]],
    ["stop --dead", []],
    ["tree --js", ["--json"]],
    [
      "start --max-",
      [
        ...["--max-restarts", "--max-seconds", "--max-connections", "--max-memory", "--max-lag"],
        ...["--max-message", "--max-per-address"],
      ],
    ],
    ["start --transport h", ["handle"]],
    ["start --log-format = p", ["pretty"]],
    ["completion ", ["bash", "zsh", "fish"]],
  ];
  const answers = await offered(...offers.map(([line]) => line.split(" ")));
  expect(answers.map((answer, at) => [offers[at]?.[0], answer])).toEqual(offers);
});

it("bash asks the running server for the names of its listeners", async () => {
  const stub = `drover() { printf '%s\\n' '  "listeners": [' '    "listener": "ops",' '    "listener": "devices",'; }`;
  const asked = [
    ...["suspend", "resume", "drain"].map((name) => [name, ""]),
    ["connections", "--listener", "o"],
  ];
  const answers = await withStub(stub, () => offered(...asked));
  const both = ["devices", "ops"];
  expect(answers.map((names) => names.sort())).toEqual([both, both, both, ["ops"]]);
});

it("a shell that is not known is refused with those that are", async () => {
  await expect(script("tcsh")).rejects.toThrow('no completion for "tcsh": expected bash, zsh, fish');
  await expect(script("toString")).rejects.toThrow("no completion for");
});
