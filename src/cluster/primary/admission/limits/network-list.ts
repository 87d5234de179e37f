/** Lists of networks, to which some are added, or from which some are removed, while the server runs. */
import { Refusal } from "../../../../control/errors.js";

export interface ListName {
  /** `allow` or `deny` */
  readonly name: string;
  /** What an operator types before a value: `drover limit allow`. */
  readonly typed: string;
}

/** @throws Refusal `conflict` where one network would take the place of all: `allow` without a list admits every client */
export function withNetworks(
  { name, typed }: ListName,
  present: readonly string[] | undefined,
  networks: readonly string[],
): readonly string[] {
  if (present === undefined && name === "allow")
    throw new Refusal(
      "conflict",
      `allow is not set, so every network is admitted: type \`${typed} ${networks.join(",")}\` to admit only ${
        networks.length === 1 ? "this one" : "these"
      }`,
    );
  return [...new Set([...(present ?? []), ...networks])];
}

/**
 * @returns `undefined` when none is left
 * @throws Refusal `unknown` for one that is not in the list; `conflict` where an empty list would admit every client
 */
export function without(
  { name, typed }: ListName,
  present: readonly string[] = [],
  networks: readonly string[],
): readonly string[] | undefined {
  const missing = networks.find((one) => !present.includes(one));
  if (missing !== undefined) {
    const list = present.length === 0 ? "is not set" : `has ${present.join(", ")}`;
    throw new Refusal("unknown", `${missing} is not in ${name}, which ${list}`);
  }
  const left = present.filter((one) => !networks.includes(one));
  if (left.length > 0) return left;
  if (name === "allow")
    throw new Refusal("conflict", `allow would be empty: type \`${typed} off\` to admit every network`);
  return undefined;
}
