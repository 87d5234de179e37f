/** Limits that an operator has set in place of those of a listener's protocols, changed while connections are open. */
import {
  CompiledProtocol,
  type CompiledProtocolOptions,
} from "../../../tcp/protocol/compiled/compiled-protocol.js";
import { type LimitOverrides, OVERRIDABLE } from "../../../tcp/protocol/limits.js";
import type { AnyProtocol } from "../../../tcp/protocol/protocol.js";

export class OverriddenLimits {
  now: LimitOverrides;
  readonly #protocols: CompiledProtocol[] = [];

  constructor(now: LimitOverrides) {
    this.now = now;
  }

  /** A protocol with these limits, now and later. */
  compile(protocol: AnyProtocol, options: CompiledProtocolOptions): CompiledProtocol {
    const compiled = new CompiledProtocol(protocol, { ...options, overrides: this });
    this.#protocols.push(compiled);
    return compiled;
  }

  /** @returns whether a limit has changed */
  set(limits: LimitOverrides): boolean {
    const before = this.now;
    if (OVERRIDABLE.every((key) => limits[key] === before[key])) return false;
    this.now = limits;
    for (const protocol of this.#protocols) protocol.overrideLimits();
    return true;
  }
}
