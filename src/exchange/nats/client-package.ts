/**
 * Where the NATS client is: an optional package, installed beside the user's protocol or beside drover. Found without
 * being loaded: only the exchange, and `drover check`, load it.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

export const CLIENT_PACKAGE = "@nats-io/transport-node";
const MAJOR = "3";
const INSTALL = `npm install ${CLIENT_PACKAGE}@${MAJOR}`;

/** The package is missing, or of a version that drover does not know. */
export class ClientPackageError extends Error {
  override readonly name = "ClientPackageError";
}

/**
 * @param folders where it is looked for first: those of the user's protocols
 * @returns path of its main file
 * @throws ClientPackageError
 */
export function findClient(folders: readonly string[]): string {
  for (const base of [...folders.map((folder) => join(folder, "index.js")), import.meta.url]) {
    const require = createRequire(base);
    let path: string;
    try {
      path = require.resolve(CLIENT_PACKAGE);
    } catch {
      continue;
    }
    const { version } = JSON.parse(readFileSync(require.resolve(`${CLIENT_PACKAGE}/package.json`), "utf8"));
    if (`${version}`.split(".")[0] === MAJOR) return path;
    throw new ClientPackageError(
      `--nats: ${path} is version ${version}, and version 3 is needed: ${INSTALL}`,
    );
  }
  throw new ClientPackageError(`--nats: the NATS client is not installed: ${INSTALL}`);
}
