/** Loads the protocols in a worker: imports each module once, and validates what it exports again. */
import type { AnyProtocol } from "../../tcp/protocol/protocol.js";
import { validateProtocol } from "../../tcp/protocol/validate/validate.js";
import { importProtocol, type ProtocolModule } from "../release/protocol-module.js";
import { mapStackTraces } from "../release/source-maps.js";

/**
 * In order: `modules[0]` exports the first one.
 * @throws whatever a module throws, or what is wrong with the protocol that it exports
 */
export async function loadProtocols(modules: readonly ProtocolModule[]): Promise<AnyProtocol[]> {
  mapStackTraces(modules.flatMap((module) => ("user" in module ? [module.user] : [])));
  const protocols: AnyProtocol[] = [];
  for (const module of modules) {
    const protocol = (await importProtocol(module)) as AnyProtocol;
    validateProtocol(protocol);
    protocols.push(protocol);
  }
  return protocols;
}
