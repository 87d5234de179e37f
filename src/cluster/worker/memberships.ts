/** Groups and names of one process of this worker, for `drover connections` and `drover state`. */
import { localMembers, localNames } from "../../groups/local/present.js";
import type { Process } from "../../otp/process/process.js";
import { durationText } from "../../text/duration.js";
import type { Memberships } from "../inspect/connection-list.js";

/** Groups that are shown of a process; it may be in 1,000. */
const SHOWN = 50;

export const memberships: Memberships = {
  groupCount: (process) => localMembers.groupsOf(process).length,
  nameCount: (process) => localNames.namesOf(process).length,
};

/** As fields of the state: nothing where it is in no group and holds no name. */
export function membershipFields(process: Process): Record<string, string> {
  const groups = localMembers.groupsOf(process);
  const names = localNames.namesOf(process);
  const shown = groups
    .slice(0, SHOWN)
    .map((group) => `${group.name} (joined ${durationText(group.ageOf(process) * 1_000)} ago)`);
  const more = groups.length > SHOWN ? [`… ${groups.length - SHOWN} more`] : [];
  return {
    ...(groups.length > 0 && { groups: [...shown, ...more].join(", ") }),
    ...(names.length > 0 && { names: names.join(", ") }),
  };
}
