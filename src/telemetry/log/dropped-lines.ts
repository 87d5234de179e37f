/** How many log lines this OS process has given up, whatever they were for. */
let lines = 0;

export function countLoss(more: number): void {
  lines += more;
}

export function droppedLines(): number {
  return lines;
}
