// Arguments of `chaos`: what a run does.
import { parseArgs } from "node:util";
import { FAULTS } from "./faults/faults.js";

export interface Plan {
  readonly seconds: number;
  readonly seed: number;
  /** Only faults with this in their name. */
  readonly only: string;
  /** Connections and workers are killed at fixed times, instead of faults one after the other. */
  readonly stampede: boolean;
}

const OPTIONS = {
  seconds: { type: "string" },
  seed: { type: "string" },
  only: { type: "string" },
  stampede: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/**
 * @param chance the seed, where none is given
 * @returns `undefined` for `--help`
 * @throws Error with what to type instead
 */
export function planOf(args: readonly string[], chance: number): Plan | undefined {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help) return undefined;
  const { only = "", stampede = false } = values;
  const seconds = Number(values.seconds ?? 60);
  if (!(seconds > 0 && seconds < Infinity))
    throw new Error(`--seconds takes a number above 0: --seconds 60, not ${values.seconds}`);
  const seed = Number(values.seed ?? chance);
  if (!Number.isInteger(seed) || seed < 0)
    throw new Error(`--seed takes a whole number: --seed 3, not ${values.seed}`);
  if (only && stampede) throw new Error("--only chooses among faults, of which --stampede has none");
  if (!FAULTS.some(({ name }) => name.includes(only)))
    throw new Error(`no fault has "${only}" in its name; see --help for the faults`);
  return { seconds, seed, only, stampede };
}

/** The command that does the same again. */
export function commandOf({ seconds, seed, only, stampede }: Plan): string {
  const more = stampede ? " --stampede" : only && ` --only ${JSON.stringify(only)}`;
  return `node scripts/run.mjs chaos --seconds ${seconds} --seed ${seed}${more}`;
}
