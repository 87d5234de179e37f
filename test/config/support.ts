/** What the tests of the configuration share: loading without this machine's environment, and files. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type ConfigError, type Loaded, loadConfig, type Sources } from "../../src/config/config.js";

/** Loads from these sources alone. */
export function load(sources: Sources = {}): Promise<Loaded> {
  return loadConfig({ argv: [], env: {}, cwd: "/", isTTY: false, ...sources });
}

/** How a configuration is refused: `[exit code, message]`. */
export async function refusal(sources: Sources): Promise<[number, string]> {
  const error = await load(sources).then(
    () => undefined,
    (reason: ConfigError) => reason,
  );
  if (error?.name !== "ConfigError") throw error ?? new Error("Expected a refusal, got a configuration");
  return [error.exitCode, error.message];
}

/** A temporary folder with these files, removed after the test. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "drover-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

/** Loads a configuration file with this content. */
export function loadFile(name: string, content: string | Uint8Array): Promise<Loaded> {
  return load({ argv: ["--config", name], cwd: folderWith({ [name]: content }) });
}

/** How a configuration file with this content is refused. */
export async function fileRefusal(name: string, content: string | Uint8Array): Promise<string> {
  const [exitCode, message] = await refusal({
    argv: ["--config", name],
    cwd: folderWith({ [name]: content }),
  });
  if (exitCode !== 78) throw new Error(`Expected exit code 78, got ${exitCode}: ${message}`);
  return message;
}
