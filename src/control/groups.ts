/** Groups and names, as the outside sees them. */

export interface GroupList {
  /** Those with most members first. */
  readonly groups: readonly { readonly name: string; readonly members: number }[];
  readonly total: number;
}

export interface GroupView {
  readonly name: string;
  /** Pids: `<1.17>`. */
  readonly members: readonly string[];
  /** Members that have introduced themselves, in a group with presence; not above 1,000. */
  readonly present: readonly { readonly pid: string; readonly key: string; readonly info: unknown }[];
}

export interface HeldName {
  readonly name: string;
  readonly pid: string;
  readonly token: number;
}

export interface NameList {
  readonly names: readonly HeldName[];
  readonly total: number;
}

/** Why an ask has no answer: see `AskError` of the package. */
export type AskFailure = "nobody" | "busy" | "refused" | "timeout" | "ended" | "unreachable";

/** Longest time of an ask from outside, in milliseconds. */
export const MAX_ASK_MS = 60_000;
