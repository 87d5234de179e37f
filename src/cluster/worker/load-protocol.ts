/** Loads the protocol in a worker: imports its module, validates it again, and compiles it. */
import type { Latency } from "../../tcp/observe/latency.js";
import { CompiledProtocol } from "../../tcp/protocol/compiled-protocol.js";
import type { AnyProtocol } from "../../tcp/protocol/protocol.js";
import { validateProtocol } from "../../tcp/protocol/validate.js";
import type { Boot } from "../channel/messages.js";
import { mapStackTraces } from "../release/source-maps.js";

/** @throws whatever the module throws, or what is wrong with the protocol that it exports */
export async function loadProtocol(
  { protocol: { url, bundled }, idle }: Boot,
  latency: Latency | undefined,
): Promise<CompiledProtocol> {
  if (bundled) mapStackTraces(bundled);
  const { default: protocol } = (await import(url)) as { default?: AnyProtocol };
  validateProtocol(protocol as AnyProtocol);
  return new CompiledProtocol(protocol as AnyProtocol, { idle, latency });
}
