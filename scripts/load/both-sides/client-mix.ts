// Kinds of clients in a mixed load, and which connection gets which kind.

export const KINDS = {
  pingers: "small frames at fixed times; the only ones whose latencies are measured",
  bulk: "large frames, 4 in flight",
  idle: "connected and silent",
  slow: "send large frames and read the replies slowly",
  half: "pause in the middle of each frame, and close in the middle of the fourth",
  reconnecting: "connect, one echo, close, repeat",
} as const;

export type Kind = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as Kind[];

/** Shares in any unit: only their proportions count. */
export type Mix = Partial<Record<Kind, number>>;

export const DEFAULT_MIX: Mix = { pingers: 50, bulk: 5, idle: 25, slow: 5, half: 5, reconnecting: 10 };

/** The kind of each of `total` connections. Every run of consecutive ones has nearly the proportions of the whole. */
export function assignKinds(mix: Mix, total: number): Kind[] {
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
