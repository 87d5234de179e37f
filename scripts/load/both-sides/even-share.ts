/** Share number `index` when `total` is divided into `parts` that differ by at most one. */
export function evenShare(total: number, parts: number, index: number): number {
  return Math.floor(total / parts) + (index < total % parts ? 1 : 0);
}
