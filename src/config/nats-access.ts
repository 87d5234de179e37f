/**
 * How the NATS servers are reached: addresses, credentials, certificates. User, password and token come from the
 * environment alone and are no options, so that nothing that shows options can show them.
 */
import { readFileSync, statSync } from "node:fs";
import { ConfigError } from "./errors.js";
import { EXIT } from "./exit-codes.js";
import type { Values } from "./options/options.js";
import type { Environment } from "./options/row.js";

const USER = "DROVER_NATS_USER";
const PASSWORD = "DROVER_NATS_PASSWORD";
const TOKEN = "DROVER_NATS_TOKEN";
/** Environment variables that are no options. */
export const NATS_VARIABLES = [USER, PASSWORD, TOKEN] as const;

export interface NatsAccess {
  readonly servers: readonly string[];
  /** Path of a credentials file. */
  readonly creds: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  /** Paths of PEM files. */
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

type NatsValues = Pick<Values, "nats" | "natsCreds" | "natsCa" | "natsCert" | "natsKey">;

/**
 * @returns `undefined` without `--nats`
 * @throws ConfigError (78) when the credentials contradict each other or a file cannot be read; never quotes a secret
 */
export function readNatsAccess(
  { nats, natsCreds, natsCa, natsCert, natsKey }: NatsValues,
  env: Environment,
): NatsAccess | undefined {
  if (nats === undefined) return undefined;
  const { [USER]: user, [PASSWORD]: password, [TOKEN]: token } = env;
  refuseContradictions(user, password, token, natsCreds);
  if (natsCreds !== undefined) checkCreds(natsCreds, readNatsFile("--nats-creds", natsCreds));
  if (natsCa !== undefined) readNatsFile("--nats-ca", natsCa);
  if (natsCert !== undefined) readNatsFile("--nats-cert", natsCert);
  if (natsKey !== undefined) readNatsFile("--nats-key", natsKey);
  const files = { creds: natsCreds, ca: natsCa, cert: natsCert, key: natsKey };
  return { servers: nats, user, password, token, ...files };
}

function refuseContradictions(
  user: string | undefined,
  password: string | undefined,
  token: string | undefined,
  creds: string | undefined,
): void {
  for (const [name, value] of [
    [USER, user],
    [PASSWORD, password],
    [TOKEN, token],
  ] as const)
    if (value === "") throw refusal(`${name} is empty: set it, or unset it`);
  if ((user === undefined) !== (password === undefined))
    throw refusal(
      user === undefined ? `${PASSWORD} needs ${USER} as well` : `${USER} needs ${PASSWORD} as well`,
    );
  const given = [creds && "--nats-creds", user && USER, token && TOKEN].filter((one) => one !== undefined);
  if (given.length > 1) throw refusal(`${given.join(" and ")} are both set: keep one of them`);
}

function readNatsFile(flag: string, file: string): string {
  try {
    // Reading a FIFO without a writer would block for ever.
    if (!statSync(file).isFile()) throw new Error("is not a regular file");
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "no such file" : code === "EACCES" ? "permission denied" : message;
    throw refusal(`${flag}: ${file}: ${why}`);
  }
}

function checkCreds(file: string, text: string): void {
  const parts = ["-----BEGIN NATS USER JWT-----", "-----BEGIN USER NKEY SEED-----"];
  if (parts.every((part) => text.includes(part))) return;
  throw refusal(
    `--nats-creds: ${file}: expected a user's JWT and the seed of its key, such as \`nsc generate creds\` prints`,
  );
}

function refusal(message: string): ConfigError {
  return new ConfigError(EXIT.badConfig, message);
}
