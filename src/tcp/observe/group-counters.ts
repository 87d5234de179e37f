/** Counters of group messages in this OS process: plain numbers, turned into metrics only when scraped. */

/** Values of the label `reason` of drover_group_dropped_total that a worker counts. */
export const GROUP_DROP_REASONS = [
  /** The member's output was full. */
  "slow_member",
  /** The member's mailbox was full. */
  "mailbox_full",
  /** The member was ending. */
  "ended",
  /** The member's framing cannot carry the message. */
  "too_large",
  /** Too much waited for delivery, or for the exchange. */
  "link_full",
  /** The exchange could not be reached. */
  "unreachable",
] as const;
export type GroupDropReason = (typeof GROUP_DROP_REASONS)[number];

export class GroupCounters {
  /** Messages sent to groups. */
  published = 0;
  /** Messages that went straight to the output of a member (`forward`). */
  forwarded = 0;
  /** Messages that were put into the mailbox of a member. */
  delivered = 0;
  readonly dropped: Record<GroupDropReason, number> = Object.fromEntries(
    GROUP_DROP_REASONS.map((reason) => [reason, 0]),
  ) as Record<GroupDropReason, number>;
}

/** Of this OS process. */
export const groupCounters = new GroupCounters();
