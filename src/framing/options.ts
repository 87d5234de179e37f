/**
 * Validation of the options of `packet(2, { … })` and `lines({ … })`. It runs once, when the protocol is defined; its
 * errors say what to type instead.
 */

/** @throws TypeError for a value that is not an object, or an unknown key: a misspelt limit must not mean no limit. */
export function checkOptions(name: string, options: unknown, known: readonly string[]): void {
  const example = `{ ${known.join(", ")} }`;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const given = Array.isArray(options) ? "an array" : String(options);
    throw new TypeError(`${name}: expected an options object ${example}, got ${given}`);
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw new TypeError(`${name}: unknown option "${key}"; expected ${example}`);
  }
}

/**
 * Validates `maxLength`; returns `fallback` if it is undefined.
 * @param ceiling largest valid limit in bytes
 * @param instead what to type for a limit above the ceiling
 * @throws TypeError, RangeError
 */
export function checkMaxLength(
  name: string,
  value: unknown,
  fallback: number,
  ceiling: number,
  instead: string,
): number {
  return checkLimit(name, "maxLength", value, fallback, ceiling, instead);
}

/** As `checkMaxLength`, for an option of another name or unit. */
export function checkLimit(
  name: string,
  option: string,
  value: unknown,
  fallback: number,
  ceiling: number,
  instead: string,
  unit = "bytes",
): number {
  if (value === undefined) return fallback;
  const rule = `${option} is a whole number of ${unit} from 1 to ${ceiling}`;
  if (typeof value !== "number") throw new TypeError(`${name}: ${rule}, not ${describe(value)}`);
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`${name}: ${rule}, not ${value}; omit it for the default of ${fallback}`);
  }
  if (value > ceiling) throw new RangeError(`${name}: ${rule}, not ${value}; write ${instead}`);
  return value;
}

function describe(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : typeof value;
}
