/**
 * Names of groups and of their members' families. Any script, spaces, dots and slashes are allowed: a name never
 * becomes part of a path, a command or a subject.
 */

/** In bytes of UTF-8. */
export const MAX_NAME = 255;

/**
 * @param what the thing that has the name, for the message: `group`
 * @throws TypeError when it is no string, RangeError when it is empty, too long, or has control characters
 */
export function checkName(what: string, name: unknown): string {
  if (typeof name !== "string")
    throw new TypeError(`${subjectOf(what)} must be a string, got ${typeof name}`);
  const fault = nameFault(what, name);
  if (fault !== undefined) throw new RangeError(fault);
  return name;
}

/** What is wrong with a name; `undefined`: nothing. */
export function nameFault(what: string, name: string): string | undefined {
  const subject = subjectOf(what);
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > MAX_NAME)
    return `${subject} must have 1 to ${MAX_NAME} bytes of UTF-8, ${shown(name)} has ${bytes}`;
  // Also lone surrogates, which UTF-8 cannot carry.
  if (/[\p{Cc}\p{Cs}]/u.test(name))
    return `${subject} must not have control characters or lone surrogates: ${shown(name)}`;
  return undefined;
}

const subjectOf = (what: string) => (what === "name" ? "a name" : `the name of a ${what}`);

const shown = (name: string) => JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);

/** The full name of a member of a family: `room/general`. */
export function familyName(family: string, name: string): string {
  return `${family}/${name}`;
}
