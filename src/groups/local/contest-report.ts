/** Reports a contested name where the hub is in this OS process: its processes are here too. */
import { pidFrom } from "../../otp/process/pid.js";
import { processOf } from "../../otp/process/process.js";
import { GroupMember } from "../../tcp/connection/group-member.js";
import { type ContestParty, namesContested } from "../../tcp/observe/events.js";
import { addressText } from "../../text/address.js";
import type { PidPair } from "../hub/hub.js";
import type { Contest } from "../hub/name-row.js";

export function reportContest({ name, holder, claimant }: Contest): void {
  if (namesContested.hasSubscribers)
    namesContested.publish({ name, holder: partyOf(holder), claimant: partyOf(claimant) });
}

function partyOf(pair: PidPair): ContestParty {
  const pid = pidFrom(pair);
  const process = processOf(pid);
  const peer = process instanceof GroupMember ? process.peer : undefined;
  return { pid: String(pid), peer: peer && addressText(peer.address, peer.port) };
}
