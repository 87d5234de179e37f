/** Lines of `drover config` for the listeners of a configuration file. Of TLS only paths are shown. */
import type { ListenerConfig, TlsConfig } from "../listeners.js";
import type { Explanation } from "../options/help.js";
import { fileMode, showDuration, showMemory } from "../options/kinds.js";
import type { Values } from "../options/options.js";
import { describeTls } from "./tls.js";

/** Keys in the order in which they are shown, with their texts. */
const SHOWN: readonly (readonly [keyof ListenerConfig, (listener: ListenerConfig) => string])[] = [
  ["protocol", ({ protocol }) => `${protocol}`],
  ["host", ({ host }) => host],
  ["port", ({ port }) => `${port}`],
  ["path", ({ path }) => `${path}`],
  ["mode", ({ mode }) => fileMode().show(mode as number)],
  ["owner", ({ owner }) => `${owner}`],
  ["group", ({ group }) => `${group}`],
  ["systemd", ({ systemd }) => `${systemd}`],
  ["transport", ({ transport }) => transport],
  ["maxConnections", ({ maxConnections }) => `${maxConnections}`],
  ["whenFull", ({ whenFull }) => `${whenFull}`],
  ["acceptRate", ({ acceptRate }) => `${acceptRate}`],
  ["backlog", ({ backlog }) => `${backlog}`],
  ["shutdown", ({ shutdown }) => showDuration(shutdown)],
  ["idleTimeout", ({ idleTimeout }) => showDuration(idleTimeout as number)],
  ["firstFrame", ({ firstFrame }) => showDuration(firstFrame as number)],
  ["lifetime", ({ lifetime }) => showDuration(lifetime as number)],
  ["framesPerSecond", ({ framesPerSecond }) => `${framesPerSecond}`],
  ["bytesPerSecond", ({ bytesPerSecond }) => showMemory(bytesPerSecond as number)],
  ["allow", ({ allow }) => `${allow?.join(",")}`],
  ["deny", ({ deny }) => `${deny?.join(",")}`],
  ["maxPerAddress", ({ maxPerAddress }) => `${maxPerAddress}`],
  ["addressRate", ({ addressRate }) => `${addressRate}`],
  ["addressBan", ({ addressBan }) => showDuration(addressBan as number)],
  ["tls", ({ tls }) => describeTls(tls as TlsConfig)],
  ["proxy", ({ proxy }) => `from ${proxy?.from.join(", ")}`],
  [
    "alpn",
    ({ alpn }) =>
      Object.entries(alpn ?? {})
        .map((pair) => pair.join(": "))
        .join(", "),
  ],
];

/** Options that are the default of each listener. */
const COMMON = ["transport", "backlog", "shutdown", "idleTimeout", "allow", "deny"] as const;

/** What differs from the options that are common to all: `listeners.devices.port`. */
export function explainListeners(
  listeners: readonly ListenerConfig[],
  values: Pick<Values, (typeof COMMON)[number]>,
): Explanation[] {
  return listeners.flatMap((listener) => {
    const isPort = listener.path === undefined && listener.systemd === undefined;
    const applies = (key: keyof ListenerConfig) =>
      (isPort || (key !== "host" && key !== "port")) &&
      !COMMON.some((common) => common === key && listener[common] === values[common]);
    return SHOWN.filter(([key]) => applies(key) && listener[key] !== undefined).map(([key, text]) => {
      const value = listener[key];
      return {
        key: `listeners.${listener.name}.${key}`,
        value: typeof value === "number" || typeof value === "string" ? value : text(listener),
        text: text(listener),
        ...({ origin: "file", env: "", flag: "" } as const),
        sentence: `${key} of the listener ${listener.name}.`,
      };
    });
  });
}
