/** Limits in force, as rows for `drover limit`: value, text, and where each came from. */
import type { Explanation } from "../../../../config/config.js";
import { LIMITS, type LimitValue, type RuntimeLimit, showLimit } from "../../../../config/runtime-limits.js";
import type { LimitRow } from "../../../../control/limits.js";
import { type PresentLimits, SERVER } from "./present-limits.js";

/** Text of a limit that a listener has not, while the server may have it. */
const NOT_OWN = "none of its own";

/** Those that the server, or a listener, can have. */
export function limitsOf(scope: string): readonly RuntimeLimit[] {
  return scope === SERVER ? LIMITS : LIMITS.filter(({ serverOnly }) => !serverOnly);
}

export class LimitRows {
  readonly #limits: PresentLimits;
  readonly #explain: () => readonly Explanation[];
  readonly #auto: () => number;

  /**
   * @param explain where configured values came from
   * @param auto connections that the descriptors of all workers allow
   */
  constructor(limits: PresentLimits, explain: () => readonly Explanation[], auto: () => number) {
    this.#limits = limits;
    this.#explain = explain;
    this.#auto = auto;
  }

  /** All of the server, and those that listeners have of their own. */
  all(listeners: readonly string[]): LimitRow[] {
    const own = listeners.flatMap((listener) =>
      this.of(listener).filter(({ value, origin, changed }) => {
        return changed !== null || (value !== null && origin !== "server");
      }),
    );
    return [...this.of(SERVER), ...own];
  }

  /** All of the server, or of one listener. */
  of(scope: string): LimitRow[] {
    return limitsOf(scope).map((limit) => this.row(scope, limit));
  }

  row(scope: string, limit: RuntimeLimit): LimitRow {
    const { key, name } = limit;
    const mark = this.#limits.mark(scope, key);
    const own = this.#limits.value(scope, key);
    const inherited = scope !== SERVER && limit.inherited && own === undefined;
    const value = inherited ? this.#limits.value(SERVER, key) : own;
    const configured = this.text(scope, limit, this.#limits.configured(scope, key));
    return {
      ...{ limit: name, listener: scope === SERVER ? null : scope, value: value ?? null },
      text: this.text(inherited ? SERVER : scope, limit, value),
      origin: mark ? "changed" : inherited && value !== undefined ? "server" : this.#origin(scope, key),
      changed: mark ? { at: mark.at, by: mark.by, configured } : null,
    };
  }

  text(scope: string, limit: RuntimeLimit, value: LimitValue): string {
    if (value === "auto") return `auto (${this.#auto()})`;
    return value === undefined && scope !== SERVER ? NOT_OWN : showLimit(limit, value);
  }

  #origin(scope: string, key: string): LimitRow["origin"] {
    const explained = scope === SERVER ? key : `listeners.${scope}.${key}`;
    return this.#explain().find((one) => one.key === explained)?.origin ?? "default";
  }
}
