// The clients of a mixed load, and who of a run's connections is which.

export const KINDS = {
  pingers: "small frames, each due at a fixed time: whose latencies are measured",
  bulk: "large frames, four in flight",
  idle: "connected and silent",
  slow: "send large frames and hardly read the answers",
  half: "stop in the middle of a frame, finish it later, and leave every fourth for ever unfinished",
  reconnecting: "connect, one echo, close, again",
} as const;

export type Kind = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as Kind[];

/** Shares in any unit: what counts is their proportion. */
export type Mix = Partial<Record<Kind, number>>;

export const DEFAULT_MIX: Mix = { pingers: 50, bulk: 5, idle: 25, slow: 5, half: 5, reconnecting: 10 };

/** The kind of each of `total` connections: every stretch of them has nearly the proportions of the whole. */
export function deal(mix: Mix, total: number): Kind[] {
  const kinds = KIND_NAMES.filter((kind) => (mix[kind] ?? 0) > 0);
  const sum = kinds.reduce((all, kind) => all + mix[kind]!, 0);
  const credit = kinds.map(() => 0);
  return Array.from({ length: total }, () => {
    let next = 0;
    for (let i = 0; i < kinds.length; i++) {
      credit[i]! += mix[kinds[i]!]!;
      if (credit[i]! > credit[next]!) next = i;
    }
    credit[next]! -= sum;
    return kinds[next]!;
  });
}
