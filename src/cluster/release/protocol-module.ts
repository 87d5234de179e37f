/** The module that exports the protocol, and how it is imported: the same way in the trial thread and in workers. */
import { importModules } from "../../config/modules/load.js";
import type { UserModules } from "../../config/modules/user-module.js";
import type { AnyProtocol } from "../../tcp/protocol/protocol.js";

/** A protocol that comes with drover, by URL, or the user's modules, compiled. */
export type ProtocolModule = { readonly url: string } | { readonly user: UserModules };

/** The default export. @throws whatever the module throws */
export async function importProtocol(module: ProtocolModule): Promise<AnyProtocol | undefined> {
  const exports = await ("url" in module ? import(module.url) : importModules(module.user));
  return (exports as { default?: AnyProtocol }).default;
}
