/** Counters of group messages in this OS process: plain numbers, turned into metrics only when scraped. */
import { ASK_RESULTS, type AskResult, GROUP_DROP_REASONS, type GroupDropReason } from "./events.js";
import { Latency } from "./latency.js";

export class GroupCounters {
  /** Messages sent to groups. */
  published = 0;
  /** Messages that went straight to the output of a member (`forward`). */
  forwarded = 0;
  /** Messages that were put into the mailbox of a member. */
  delivered = 0;
  /** From the sender to the last member here, of one message in eight. */
  readonly delivery = new Latency();
  /** Asks of processes here, until the answer. */
  readonly answer = new Latency();
  /** Names granted to processes here. */
  namesClaimed = 0;
  /** Names that a newer claim took from processes here. */
  namesReplaced = 0;
  /** Claims that waited because two clients have the same name; where there is an exchange, it counts them. */
  namesContested = 0;
  /** Asks of processes here, by result. */
  readonly asks: Record<AskResult, number> = Object.fromEntries(
    ASK_RESULTS.map((result) => [result, 0]),
  ) as Record<AskResult, number>;
  /** Records of the exchange that were not understood: a protocol of another worker or server has forged them. */
  malformed = 0;
  readonly dropped: Record<GroupDropReason, number> = Object.fromEntries(
    GROUP_DROP_REASONS.map((reason) => [reason, 0]),
  ) as Record<GroupDropReason, number>;
}

/** Of this OS process. */
export const groupCounters = new GroupCounters();
