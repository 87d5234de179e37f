/** A NATS operator with one account and one user, as `nsc` would make them: configuration for the server, file for the client. */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

interface KeyPair {
  getPublicKey(): string;
  getSeed(): Uint8Array;
  sign(data: Uint8Array): Uint8Array;
}

/** Of the client's own package. */
function nkeys(): Record<"createOperator" | "createAccount" | "createUser", () => KeyPair> {
  const client = require.resolve("@nats-io/transport-node");
  return createRequire(client)("@nats-io/nkeys");
}

const base64 = (data: string | Uint8Array) => Buffer.from(data).toString("base64url");

function jwt(issuer: KeyPair, subject: KeyPair, name: string, nats: object): string {
  const claims = {
    ...{ iat: 1_700_000_000, iss: issuer.getPublicKey(), name, sub: subject.getPublicKey() },
    nats: { version: 2, ...nats },
  };
  const jti = createHash("sha512-256").update(JSON.stringify(claims)).digest("hex").toUpperCase();
  const head = base64(JSON.stringify({ typ: "JWT", alg: "ed25519-nkey" }));
  const body = `${head}.${base64(JSON.stringify({ jti, ...claims }))}`;
  return `${body}.${base64(issuer.sign(Buffer.from(body)))}`;
}

const UNLIMITED = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
};

/** @returns text of a server's configuration and of a credentials file */
export function natsCredentials(): { readonly config: string; readonly creds: string } {
  const { createOperator, createAccount, createUser } = nkeys();
  const [operator, account, user] = [createOperator(), createAccount(), createUser()];
  const accountJwt = jwt(operator, account, "account", { type: "account", limits: UNLIMITED });
  const userJwt = jwt(account, user, "user", {
    type: "user",
    pub: {},
    sub: {},
    subs: -1,
    data: -1,
    payload: -1,
  });
  const operatorJwt = jwt(operator, operator, "operator", { type: "operator" });
  return {
    config: `operator: ${operatorJwt}\nresolver: MEMORY\nresolver_preload: { ${account.getPublicKey()}: ${accountJwt} }\n`,
    creds: `-----BEGIN NATS USER JWT-----\n${userJwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${Buffer.from(user.getSeed()).toString()}\n------END USER NKEY SEED------\n`,
  };
}
