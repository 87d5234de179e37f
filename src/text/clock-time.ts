/** Text form of a time of day, in local time. */

/** `16:08:22`. @param at milliseconds since 1970 */
export function clockTime(at: number): string {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => padded(part, 2)).join(":");
}

/** `16:08:22.879`. @param at milliseconds since 1970 */
export function clockTimeMs(at: number): string {
  return `${clockTime(at)}.${padded(new Date(at).getMilliseconds(), 3)}`;
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
