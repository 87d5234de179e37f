/**
 * The token of the admin server. It comes from the environment or a file, never from a flag, which every user
 * of the machine could read in `ps`; it is no option, so that nothing that shows options can show it.
 */
import { readFile, stat } from "node:fs/promises";
import { ConfigError } from "./errors.js";
import { EXIT } from "./exit-codes.js";
import { MAX_TOKEN_LENGTH, MIN_TOKEN_LENGTH } from "./limits.js";
import type { Config, Environment } from "./options/options.js";

/** Where the token itself may be. */
export const TOKEN_VARIABLE = "DROVER_ADMIN_TOKEN";

export interface GivenToken {
  /** `undefined`: none was given. */
  readonly token: string | undefined;
  readonly warnings: readonly string[];
}

/** @throws ConfigError (78) when there are two, it cannot be read, or is no token; it is never quoted */
export async function readToken(
  { adminTokenFile: file }: Pick<Config, "adminTokenFile">,
  env: Environment,
): Promise<GivenToken> {
  const inEnvironment = env[TOKEN_VARIABLE];
  if (file === undefined) {
    if (inEnvironment === undefined) return { token: undefined, warnings: [] };
    return { token: checked(inEnvironment, TOKEN_VARIABLE), warnings: [] };
  }
  if (inEnvironment !== undefined) {
    throw refusal(`${TOKEN_VARIABLE} and --admin-token-file are both given: keep one of them`);
  }
  const place = `admin token file ${file}`;
  const { text, mode } = await contents(file, place);
  const warnings = (mode & 0o007) === 0 ? [] : [`${place} can be read by every user: chmod 600 it`];
  return { token: checked(text.trim(), place), warnings };
}

async function contents(file: string, place: string): Promise<{ text: string; mode: number }> {
  try {
    const found = await stat(file);
    // A pipe without a writer would be waited for without end.
    if (!found.isFile()) throw new Error("is not a regular file");
    if (found.size > MAX_TOKEN_LENGTH) throw new Error(`is larger than ${MAX_TOKEN_LENGTH} bytes`);
    return { text: await readFile(file, "utf8"), mode: found.mode };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "no such file" : code === "EACCES" ? "permission denied" : message;
    throw refusal(`${place}: ${why}`);
  }
}

function checked(token: string, place: string): string {
  if (/^[\x21-\x7e]+$/.test(token) && token.length >= MIN_TOKEN_LENGTH && token.length <= MAX_TOKEN_LENGTH)
    return token;
  const advice = "such as `openssl rand -hex 32` prints";
  throw refusal(
    `${place}: expected a token of at least ${MIN_TOKEN_LENGTH} printable characters without spaces, ${advice}`,
  );
}

function refusal(message: string): ConfigError {
  return new ConfigError(EXIT.badConfig, message);
}
