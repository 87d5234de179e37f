/** Plays scenarios on the real supervisor: all of them in one `erl`. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { find } from "../../support/peers.js";
import { type Scenario, toErlang } from "./scenario.js";
import { type Entry, parseEntry } from "./trace.js";

const SOURCES = fileURLToPath(new URL("erl", import.meta.url));

export async function playErlang(scenarios: readonly Scenario[]): Promise<Entry[][]> {
  const dir = mkdtempSync(join(tmpdir(), "drover-differential-"));
  try {
    const file = join(dir, "scenarios");
    writeFileSync(file, `${toErlang(scenarios)}.\n`);
    return parse(await erl(`dmain:run(${JSON.stringify(file)})`), scenarios.length);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function erl(expression: string): Promise<string> {
  const sources = readdirSync(SOURCES).map((name) => JSON.stringify(join(SOURCES, name)));
  const load = `[begin {ok, M, B} = compile:file(F, [binary, report]), {module, M} = code:load_binary(M, F, B) end
    || F <- [${sources.join(",")}]]`;
  const code = `try ${load}, ${expression} catch C:R:S -> io:format("~p~n", [{C, R, S}]), halt(1) end.`;
  // One scheduler: the Erlang side tells by priorities when everybody has come to rest.
  const { stdout } = await promisify(execFile)(
    find("erl") as string,
    ["+S", "1:1", "-noshell", "-eval", code],
    { env: { ...process.env, ERL_CRASH_DUMP: "/dev/null" }, maxBuffer: 2 ** 30, timeout: 100_000 },
  ).catch((error: { stdout?: string; message: string }) => {
    throw new Error(`erl failed: ${error.message}\n${error.stdout?.slice(-2000)}`);
  });
  return stdout;
}

function parse(stdout: string, count: number): Entry[][] {
  const traces = stdout.split("scenario\n").slice(1);
  if (traces.length !== count || !stdout.endsWith("end\n")) {
    throw new Error(
      `erl played ${traces.length} of ${count} scenarios, and said last:\n${stdout.slice(-2000)}`,
    );
  }
  return traces.map((trace) =>
    trace
      .split("\n")
      .filter((line) => line.includes("|"))
      .map(parseEntry),
  );
}
