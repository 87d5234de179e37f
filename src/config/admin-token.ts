/**
 * Bearer token of the admin server, from the environment or a file; never from a flag, which every user of the
 * machine could read in `ps`. It is not an option, so that nothing that shows options can show it.
 */
import { readFile, stat } from "node:fs/promises";
import { ConfigError } from "./errors.js";
import { EXIT } from "./exit-codes.js";
import { MAX_TOKEN_LENGTH, MIN_TOKEN_LENGTH } from "./limits.js";
import type { Values } from "./options/options.js";
import type { Environment } from "./options/row.js";

/** Environment variable that holds the token itself. */
export const TOKEN_VARIABLE = "DROVER_ADMIN_TOKEN";

export interface GivenToken {
  /** `undefined`: none was given. */
  readonly token: string | undefined;
  readonly warnings: readonly string[];
}

/** @throws ConfigError (78) when two tokens are given, or the token cannot be read or is invalid; the message never quotes it */
export async function readToken(
  { adminTokenFile: file }: Pick<Values, "adminTokenFile">,
  env: Environment,
): Promise<GivenToken> {
  const inEnvironment = env[TOKEN_VARIABLE];
  if (file === undefined) {
    if (inEnvironment === undefined) return { token: undefined, warnings: [] };
    return { token: checkToken(inEnvironment, TOKEN_VARIABLE), warnings: [] };
  }
  if (inEnvironment !== undefined) {
    throw refusal(`${TOKEN_VARIABLE} and --admin-token-file are both set: remove one of them`);
  }
  const source = `admin token file ${file}`;
  const { text, mode } = await readTokenFile(file, source);
  const warnings = (mode & 0o007) === 0 ? [] : [`${source} is readable by every user: chmod 600 ${file}`];
  return { token: checkToken(text.trim(), source), warnings };
}

async function readTokenFile(file: string, source: string): Promise<{ text: string; mode: number }> {
  try {
    const found = await stat(file);
    // Reading a FIFO without a writer would block for ever.
    if (!found.isFile()) throw new Error("is not a regular file");
    if (found.size > MAX_TOKEN_LENGTH) throw new Error(`is larger than ${MAX_TOKEN_LENGTH} bytes`);
    return { text: await readFile(file, "utf8"), mode: found.mode };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "no such file" : code === "EACCES" ? "permission denied" : message;
    throw refusal(`${source}: ${why}`);
  }
}

function checkToken(token: string, source: string): string {
  if (/^[\x21-\x7e]+$/.test(token) && token.length >= MIN_TOKEN_LENGTH && token.length <= MAX_TOKEN_LENGTH)
    return token;
  const advice = "such as `openssl rand -hex 32` prints";
  throw refusal(
    `${source}: expected a token of at least ${MIN_TOKEN_LENGTH} printable characters without spaces, ${advice}`,
  );
}

function refusal(message: string): ConfigError {
  return new ConfigError(EXIT.badConfig, message);
}
