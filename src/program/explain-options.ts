/** Lines of `drover config` for the options of protocols, with the values that the protocols make of them. */
import type { ListenerReleases, Releases } from "../cluster/release/releases.js";
import { type Explanation, type Loaded, type Origin, SET } from "../config/config.js";

/** `options.batch`, or with several listeners `listeners.devices.options.batch`. */
export function explainOptions(
  { config, listenersPlace }: Loaded,
  { byListener }: Pick<Releases, "byListener">,
): Explanation[] {
  return config.listeners.flatMap(({ name }) => {
    const prefix = listenersPlace === undefined ? "" : `listeners.${name}.`;
    const { values, given } = byListener.get(name) as ListenerReleases;
    return values.map(({ key, text, protocol }) => ({
      key: `${prefix}options.${key}`,
      value: text,
      text,
      origin: originOf(key, given),
      env: "",
      flag: `${SET.flag} ${key}=…`,
      sentence: `Option ${key} of the protocol ${protocol}.`,
    }));
  });
}

function originOf(key: string, given: ListenerReleases["given"]): Origin {
  const last = given.findLast((one) => one.key === key);
  if (last === undefined) return "default";
  return last.text ? "flag" : "file";
}
