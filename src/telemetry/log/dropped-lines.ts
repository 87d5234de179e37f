/** Count of log lines that this OS process has dropped, over all logs: `drover_log_lines_dropped_total`. */
let lines = 0;

export function countDropped(more: number): void {
  lines += more;
}

export function droppedLines(): number {
  return lines;
}
