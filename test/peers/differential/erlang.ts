/** Runs scenarios on a real OTP: all of them in one `erl`. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { find } from "../../support/peers.js";
import { type Entry, parseEntry, toErlang } from "./terms.js";

const SOURCES = fileURLToPath(new URL("erl", import.meta.url));

export async function playErlang(module: string, scenarios: readonly unknown[]): Promise<Entry[][]> {
  const dir = mkdtempSync(join(tmpdir(), "drover-differential-"));
  try {
    const [from, to] = [join(dir, "scenarios"), join(dir, "traces")];
    writeFileSync(from, toErlang(scenarios));
    await erl(`dmain:run(${module}, ${JSON.stringify(from)}, ${JSON.stringify(to)})`);
    return parse(readFileSync(to, "utf8"), scenarios.length);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export async function erl(expression: string): Promise<void> {
  const sources = readdirSync(SOURCES).map((name) => JSON.stringify(join(SOURCES, name)));
  const load = `[begin {ok, M, B} = compile:file(F, [binary, report]), {module, M} = code:load_binary(M, F, B) end
    || F <- [${sources.join(",")}]]`;
  const code = `try ${load}, ${expression} catch C:R:S -> io:format("~p~n", [{C, R, S}]), halt(1) end.`;
  // One scheduler: the Erlang side tells by priorities when everybody has come to rest.
  await promisify(execFile)(find("erl") as string, ["+S", "1:1", "-noshell", "-eval", code], {
    env: { ...process.env, ERL_CRASH_DUMP: "/dev/null" },
    timeout: 240_000,
  }).catch((error: { stdout?: string; message: string }) => {
    throw new Error(`erl failed: ${error.message}\n${error.stdout?.slice(-2000)}`);
  });
}

function parse(text: string, count: number): Entry[][] {
  const traces = text.split("scenario\n").slice(1);
  if (traces.length !== count || !text.endsWith("end\n")) {
    throw new Error(
      `erl played ${traces.length} of ${count} scenarios, and wrote last:\n${text.slice(-2000)}`,
    );
  }
  return traces.map((trace) =>
    trace
      .split("\n")
      .filter((line) => line.includes("|"))
      .map(parseEntry),
  );
}
