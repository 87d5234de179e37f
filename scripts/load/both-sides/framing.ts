// The framings that the load generator speaks: header and trailer of a frame, and the largest payload.

export type Framing = "packet1" | "packet2" | "packet4" | "line" | "raw";

interface FrameLayout {
  header: number;
  trailer: number;
  maxSize: number;
}

export const FRAMINGS: Record<Framing, FrameLayout> = {
  packet1: { header: 1, trailer: 0, maxSize: 0xff },
  packet2: { header: 2, trailer: 0, maxSize: 0xffff },
  packet4: { header: 4, trailer: 0, maxSize: 64 * 1024 * 1024 },
  line: { header: 0, trailer: 1, maxSize: 64 * 1024 * 1024 },
  raw: { header: 0, trailer: 0, maxSize: 64 * 1024 * 1024 },
};
