/** One row of the tables of options: what is written down of an option. */
import type { Kind } from "./kinds.js";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Input of a computed default. */
export interface DefaultContext {
  readonly env: Environment;
  /** Whether the log goes to a terminal. */
  readonly isTTY: boolean;
  /** The effective `name`. */
  readonly name: string;
}

export interface OptionRow<In, Out> {
  readonly kind: Kind<In, Out>;
  readonly default: NoInfer<Out> | ((context: DefaultContext) => NoInfer<Out>);
  /** The default as shown to people, where its value is not enough. */
  readonly defaultText?: string;
  /** Placeholder of the value in the help text. */
  readonly placeholder: string;
  /** Description for `--help`, `drover config --verbose` and the README: one sentence. */
  readonly sentence: string;
  /** Formats the value, instead of the kind's `show`. */
  readonly show?: (value: Out) => string;
  /** Value of the flag without one: `--inspect`. Its own value must follow an equals sign. */
  readonly bare?: string;
  /** Whether it describes the listener `main`, so that it contradicts `listeners` in a file. */
  readonly mainOnly?: true;
}

/** An option with a default value. */
export function row<In, Out>(given: OptionRow<In, Out>): OptionRow<In, Out> {
  return given;
}

/** An option without a default value. */
export function optional<In, Out>(given: Omit<OptionRow<In, Out>, "default">) {
  return { ...given, default: undefined };
}
