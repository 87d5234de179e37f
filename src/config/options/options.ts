/**
 * All options: the tables of `tables/`, one for each subject, in the order of the help text. The parsers of flags,
 * environment and files, the help text, `drover config` and the table in the README are all made from them.
 *
 * The flag and the name in the environment follow from the key: `maxSeconds` is `--max-seconds` and
 * `DROVER_MAX_SECONDS`.
 */
import { type Kind, path } from "./kinds.js";
import { type OptionRow, optional } from "./row.js";
import { ADMIN } from "./tables/admin.js";
import { ADMISSION } from "./tables/admission.js";
import { CLUSTER } from "./tables/cluster.js";
import { CONNECTIONS } from "./tables/connections.js";
import { DEADLINES } from "./tables/deadlines.js";
import { LIMITS } from "./tables/limits.js";
import { LISTENING } from "./tables/listening.js";
import { LOGGING } from "./tables/logging.js";
import { SOCKETS } from "./tables/sockets.js";
import { INSPECTOR, RESTARTS, WATCH, WORKERS } from "./tables/workers.js";

const TABLE = {
  ...LISTENING,
  ...WORKERS,
  ...ADMIN,
  ...RESTARTS,
  ...LIMITS,
  ...CLUSTER,
  ...DEADLINES,
  ...CONNECTIONS,
  ...WATCH,
  ...SOCKETS,
  ...INSPECTOR,
  ...ADMISSION,
  ...LOGGING,
  config: optional({
    kind: path(),
    defaultText: "none",
    placeholder: "FILE",
    sentence: "Configuration file that sets options by key: .json, .js, .mjs or .ts.",
  }),
};

type Table = typeof TABLE;

/** Key of an option: its name in a file and in the program. */
export type Key = keyof Table;

/** The effective values of all options. Durations in milliseconds, absolute paths; `undefined` is "not set". */
export type Values = {
  readonly [K in Key]: Table[K] extends { kind: Kind<any, infer Out>; default: infer D }
    ? Out | (D & undefined)
    : never;
};

/** Options that a file or a protocol may set. Durations are milliseconds or text such as `"2m"`. */
export type Settings = {
  readonly [K in Exclude<Key, "config">]?: Table[K] extends { kind: Kind<infer In, any> } ? In : never;
};

export interface Option extends OptionRow<unknown, unknown> {
  readonly key: Key;
  /** `--max-seconds` */
  readonly flag: string;
  /** As help shows it with its value: `--max-seconds SECONDS`, `--inspect[=PORT]`. */
  readonly usage: string;
  /** `DROVER_MAX_SECONDS` */
  readonly env: string;
  readonly defaultText: string;
  readonly show: (value: unknown) => string;
}

/** All options, in the order in which they are shown. */
export const OPTIONS: readonly Option[] = Object.entries(TABLE).map(([key, row]) => toOption(key, row));

function toOption(key: string, given: OptionRow<any, any>): Option {
  const words = key.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
  const show = given.show ?? given.kind.show;
  return {
    ...given,
    key: key as Key,
    flag: `--${words}`,
    usage: given.bare === undefined ? `--${words} ${given.placeholder}` : `--${words}[=${given.placeholder}]`,
    env: `DROVER_${words.replaceAll("-", "_").toUpperCase()}`,
    defaultText: given.defaultText ?? given.kind.show(given.default),
    show: (value) => (value === undefined ? (given.defaultText ?? "") : show(value)),
  };
}
