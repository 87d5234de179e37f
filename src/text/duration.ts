/** Text form of an elapsed time. */

/** `4s`, `12m 5s`, `3h 2m`, `2d 4h`: whole seconds, the largest `units` units, without those that are 0. */
export function durationText(ms: number, units = 2): string {
  const seconds = Math.floor(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  const kept = first === -1 ? parts.slice(-1) : parts.slice(first, first + units);
  const said = kept.filter(([count], at) => at === 0 || count > 0);
  return said.map(([count, unit]) => `${count}${unit}`).join(" ");
}
