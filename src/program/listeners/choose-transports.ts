/** Chooses the transport of each listener. The probes run once, however many there are. */
import type { ListenerConfig } from "../../config/config.js";
import { type Choice, chooseTransport } from "../../transport/choose-transport.js";

/**
 * @returns choices by name of the listener
 * @throws Error when `handle` is configured and does not work here
 */
export async function chooseTransports(
  listeners: readonly ListenerConfig[],
): Promise<ReadonlyMap<string, Choice>> {
  const choices = new Map<string, Choice>();
  for (const { name, transport, tls } of listeners)
    choices.set(name, await chooseTransport(transport, true, tls !== undefined));
  return choices;
}

/** Lines for the log and `drover check`: `handle: why`, or with the listeners where their choices differ. */
export function transportTexts(choices: ReadonlyMap<string, Choice>): string[] {
  const names = new Map<string, string[]>();
  for (const [name, { transport, why }] of choices) {
    const text = `${transport.name}: ${why}`;
    names.set(text, [...(names.get(text) ?? []), name]);
  }
  return [...names].map(([text, all]) => (names.size === 1 ? text : `${text} (${all.join(", ")})`));
}
