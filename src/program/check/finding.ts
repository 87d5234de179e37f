/** One line of `drover check`. */
export interface Finding {
  readonly what: string;
  readonly verdict: "ok" | "warning" | "wrong";
  readonly text: string;
  /** Command that fixes it, or finds the cause. */
  readonly mend?: string | undefined;
  /** Exit code of `start`. */
  readonly exitCode?: number;
}
