/**
 * Protocols that come with drover. What is known of them is read from a file that the build has written, as a trial of
 * each takes 0.2 s of CPU time; one that was given options is tried out, because only its schema can read them.
 */
import { readFileSync } from "node:fs";
import type { ProtocolFacts, Trial } from "./trial-thread.js";

export const BUILT_IN = ["echo", "chat", "gateway", "resp", "smtp-sink", "mqtt", "tracker"] as const;
export type BuiltIn = (typeof BUILT_IN)[number];

export function isBuiltIn(named: string): named is BuiltIn {
  return (BUILT_IN as readonly string[]).includes(named);
}

/** The module that exports the protocol. */
export function builtInUrl(named: BuiltIn): string {
  return new URL(`./protocols/${named}.js`, import.meta.url).href;
}

/** As JSON has them, which has no Infinity: `workers` is missing where there is no maximum. */
type BuiltFacts = Omit<ProtocolFacts, "workers"> & { readonly workers?: number };

/** `undefined` where an option was given. @param given the options of each listener that serves it */
export function builtInFacts(named: BuiltIn, given: Trial["given"]): ProtocolFacts | undefined {
  if (given.some(({ length }) => length > 0)) return undefined;
  const file = readFileSync(new URL("./protocols/facts.json", import.meta.url), "utf8");
  const facts = (JSON.parse(file) as Record<BuiltIn, BuiltFacts>)[named];
  const [values = []] = facts.values;
  return { workers: Infinity, ...facts, values: given.map(() => values) };
}
