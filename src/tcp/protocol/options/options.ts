/**
 * Options of a protocol: read from what flags, configuration file or `serve` give, checked by the protocol's schema. A
 * value of a flag is text; where the schema refuses the text, it is read as JSON: `--set batch=200` is the number 200.
 */
import type { AnyProtocol } from "../protocol.js";
import type { Schema, SchemaIssue, SchemaResult } from "./schema.js";
import { isSecret, withoutPassword } from "./secret-options.js";

/** One option as it was given. */
export interface GivenOption {
  readonly key: string;
  readonly value: unknown;
  /** Whether it is the text of a flag. */
  readonly text: boolean;
  /** `--set batch`, `acme.json:3:5: options.batch` */
  readonly place: string;
}

/** The options are refused. `message` is one line that begins with the place. */
export class OptionError extends TypeError {
  override readonly name = "OptionError";
  /** `undefined`: it is missing. */
  readonly given: GivenOption | undefined;

  constructor(message: string, given: GivenOption | undefined) {
    super(message);
    this.given = given;
  }
}

/**
 * The options of one protocol; of what it does not know nothing is read. Of a key that is given twice the last counts.
 * @throws OptionError
 */
export function readOptions(protocol: AnyProtocol, given: readonly GivenOption[]): unknown {
  const schema: Schema | undefined = protocol.options;
  if (schema === undefined) return undefined;
  const known = optionKeys(schema);
  const own = new Map(
    given.filter(({ key }) => known === undefined || known.includes(key)).map((one) => [one.key, one]),
  );
  const values = Object.fromEntries([...own].map(([key, { value }]) => [key, value]));
  let result = check(protocol, schema, values);
  if (result.issues !== undefined && readAsJson(values, own, result.issues))
    result = check(protocol, schema, values);
  if (result.issues === undefined) return result.value;
  throw refusal(protocol, schema, own, result.issues[0] as SchemaIssue);
}

/** What options of the program are given as in `serve` and `connect`: an object. */
export function givenOptions(options: object | undefined, place: string): GivenOption[] {
  const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
  return given.map(([key, value]) => ({ key, value, text: false, place: `${place}.${key}` }));
}

/** What is known of the options of a protocol without running its schema. */
export interface KnownOptions {
  readonly protocol: string;
  /** Empty: it takes none; `undefined`: any. */
  readonly keys: readonly string[] | undefined;
}

export function knownOptions({ name, options }: AnyProtocol): KnownOptions {
  return { protocol: name, keys: options === undefined ? [] : optionKeys(options) };
}

/** @throws OptionError for an option that none of these protocols has */
export function refuseUnknown(known: readonly KnownOptions[], given: readonly GivenOption[]): void {
  if (known.some(({ keys }) => keys === undefined)) return;
  const unknown = given.find(({ key }) => !known.some(({ keys }) => keys?.includes(key)));
  if (unknown === undefined) return;
  const texts = known.flatMap(({ protocol, keys = [] }) =>
    keys.length > 0 ? `the options of ${protocol} are ${keys.join(", ")}` : [],
  );
  const names = known.map(({ protocol }) => protocol).join(", ");
  const advice = texts.length > 0 ? texts.join("; ") : `${names} has no "options"`;
  throw new OptionError(`${unknown.place}: no option "${unknown.key}": ${advice}`, unknown);
}

/** The keys that a schema of an object knows, as valibot and zod show them; `undefined`: any. */
export function optionKeys(schema: Schema): readonly string[] | undefined {
  const { entries, shape } = schema as { entries?: unknown; shape?: unknown };
  const fields = entries ?? shape;
  return typeof fields === "object" && fields !== null ? Object.keys(fields) : undefined;
}

/** One option, for people. */
export interface ShownOption {
  readonly protocol: string;
  readonly key: string;
  readonly text: string;
}

/** What `readOptions` has made, without secrets. */
export function showOptions(protocol: AnyProtocol, options: unknown): ShownOption[] {
  if (typeof options !== "object" || options === null) return [];
  return Object.entries(options).map(([key, value]) => {
    const text = isSecret(protocol.options, key) ? "(secret)" : withoutPassword(textOf(value));
    return { protocol: protocol.name, key, text };
  });
}

function check(protocol: AnyProtocol, schema: Schema, values: object): SchemaResult<unknown> {
  const result = schema["~standard"].validate(values);
  if (!(result instanceof Promise)) return result;
  result.catch(() => {});
  throw new OptionError(
    `protocol "${protocol.name}": "options" must be a schema that is not async`,
    undefined,
  );
}

/** @returns whether a value has changed */
function readAsJson(
  values: Record<string, unknown>,
  own: ReadonlyMap<string, GivenOption>,
  issues: readonly SchemaIssue[],
): boolean {
  let changed = false;
  for (const issue of issues) {
    const key = String(pathOf(issue)[0]);
    const text = own.get(key);
    if (text?.text !== true || values[key] !== text.value) continue;
    try {
      values[key] = JSON.parse(text.value as string);
      changed = true;
    } catch {}
  }
  return changed;
}

function refusal(
  protocol: AnyProtocol,
  schema: Schema,
  own: ReadonlyMap<string, GivenOption>,
  issue: SchemaIssue,
): OptionError {
  const path = pathOf(issue).map(String);
  const [key = ""] = path;
  const given = own.get(key);
  if (given === undefined) {
    const what = key === "" ? issue.message : `"${key}" is missing`;
    const fix = key === "" ? "" : `: set it with --set ${key}=…, or in "options" of the configuration file`;
    return new OptionError(`options of the protocol ${protocol.name}: ${what}${fix}`, undefined);
  }
  const below = path.length > 1 ? `${path.slice(1).join(".")}: ` : "";
  const what = isSecret(schema, key) ? "the value is not valid (it is secret)" : issue.message;
  return new OptionError(`${given.place}: ${below}${withoutPassword(what)}`, given);
}

function pathOf({ path = [] }: SchemaIssue): PropertyKey[] {
  return path.map((part) => (typeof part === "object" ? part.key : part));
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
