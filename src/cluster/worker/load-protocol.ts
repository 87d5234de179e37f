/** Loads the protocol in a worker: imports its module, validates it again, and compiles it. */
import type { Latency } from "../../tcp/observe/latency.js";
import { CompiledProtocol } from "../../tcp/protocol/compiled-protocol.js";
import type { AnyProtocol } from "../../tcp/protocol/protocol.js";
import { validateProtocol } from "../../tcp/protocol/validate.js";
import type { Boot } from "../channel/messages.js";
import { importProtocol } from "../release/protocol-module.js";
import { mapStackTraces } from "../release/source-maps.js";

/** @throws whatever the module throws, or what is wrong with the protocol that it exports */
export async function loadProtocol(
  { protocol: module, idle }: Boot,
  latency: Latency | undefined,
): Promise<CompiledProtocol> {
  if ("user" in module) mapStackTraces(module.user);
  const protocol = await importProtocol(module);
  validateProtocol(protocol as AnyProtocol);
  return new CompiledProtocol(protocol as AnyProtocol, { idle, latency });
}
