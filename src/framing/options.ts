/**
 * The checks of what is written between the brackets of `packet(2, { … })` and `lines({ … })`. They run once,
 * when the protocol is defined, and say what to type instead.
 */

/**
 * @throws TypeError for what is not an object, and for a key that is no option: a misspelt limit must not be
 * silently no limit.
 */
export function checkOptions(name: string, options: unknown, known: readonly string[]): void {
  const example = `{ ${known.join(", ")} }`;
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${name}: the options are an object with ${example}, not ${String(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (!known.includes(key))
      throw new TypeError(`${name}: no option is called "${key}"; there is ${example}`);
  }
}

/**
 * The limit itself, or `fallback` where none is given.
 * @param ceiling the largest possible limit, in bytes
 * @param instead what to type when the limit is above the ceiling
 * @throws TypeError, RangeError
 */
export function checkMaxLength(
  name: string,
  value: unknown,
  fallback: number,
  ceiling: number,
  instead: string,
): number {
  if (value === undefined) return fallback;
  const rule = `maxLength is a whole number of bytes from 1 to ${ceiling}`;
  if (typeof value !== "number") throw new TypeError(`${name}: ${rule}, not ${describe(value)}`);
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`${name}: ${rule}, not ${value}; leave it out to have ${fallback}`);
  }
  if (value > ceiling) throw new RangeError(`${name}: ${rule}, not ${value}; write ${instead}`);
  return value;
}

function describe(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : typeof value;
}
