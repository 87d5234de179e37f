/** Random sequences of `become`, `setFraming` and frames, in any split, against a model that decodes one after another. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { encode } from "../../../src/framing/framing.js";
import {
  become,
  defineProtocol,
  delimited,
  type Framing,
  fixed,
  netstring,
  next,
  type Protocol,
  packet,
} from "../../../src/index.js";
import { playing } from "../../support/playing.js";
import { turn } from "../../support/until.js";

const line = delimited("\n");
/** What a frame may ask for: its first letter; in capitals, of an async handler. */
const FRAMINGS: Record<string, Framing<Buffer, any>> = {
  f: fixed(5),
  g: fixed(2),
  d: line,
  n: netstring(),
  p: packet(1),
};
const OWN: Record<"one" | "two", Framing<Buffer, any>> = { one: line, two: packet(2) };
const opposite = { one: "two", two: "one" } as const;

interface Frame {
  readonly letter: string;
  readonly fill: number;
}

const frames = fc.array(
  fc.record({
    letter: fc.constantFrom(..."xxxfgdnpbXFGDNPBsSaA"),
    fill: fc.integer({ min: 0, max: 9 }),
  }),
  { maxLength: 30 },
);

/** The bytes that a client sends, and the frames that come out. */
function model(all: readonly Frame[]): { bytes: Buffer; expected: string[] } {
  let protocol: "one" | "two" = "one";
  let framing = OWN.one;
  const parts: Buffer[] = [];
  const expected: string[] = [];
  for (const { letter, fill } of all) {
    const length = framing === FRAMINGS.f ? 4 : framing === FRAMINGS.g ? 1 : fill;
    const frame = letter + ".".repeat(length);
    parts.push(encode(framing, frame));
    expected.push(`${protocol} ${frame}`);
    const what = letter.toLowerCase();
    if (what === "b") {
      protocol = opposite[protocol];
      framing = OWN[protocol];
    } else framing = FRAMINGS[what] ?? framing;
  }
  return { bytes: Buffer.concat(parts), expected };
}

function protocols(seen: string[], memory: "kept" | "borrowed"): Protocol<any, any, Buffer, any> {
  const act = (conn: any, letter: string): any => {
    switch (letter) {
      case "b":
        return become(all[opposite[conn.label as "one" | "two"]]);
      case "s":
        return next(conn.state === "a" ? "b" : "a");
      case "a":
        return conn.setActive(2);
      default:
        if (letter in FRAMINGS) conn.setFraming(FRAMINGS[letter]);
    }
  };
  const state = {
    frame: (conn: any, frame: Buffer): any => {
      const text = String(frame);
      seen.push(`${conn.label} ${text}`);
      const letter = text[0] as string;
      const lower = letter.toLowerCase();
      return letter === lower ? act(conn, letter) : turn().then(() => act(conn, lower));
    },
    passive: (conn: any) => conn.setActive("once"),
  };
  const made = (name: "one" | "two"): Protocol<any, any, Buffer, any> =>
    defineProtocol({
      name,
      framing: OWN[name],
      frames: memory,
      states: { a: state, b: state },
      becomes: () => [all[opposite[name]]],
      limits: { framesPerTurn: 7, bytesPerTurn: 50 },
    });
  const all = { one: made("one"), two: made("two") };
  return all.one;
}

test("frames come out as the model says, however the bytes are cut, lent or postponed by an async handler", async () => {
  const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      frames,
      cuts,
      fc.boolean(),
      fc.constantFrom("kept", "borrowed"),
      async (some, places, lent, memory) => {
        const { bytes, expected } = model(some);
        const seen: string[] = [];
        const play = await playing(protocols(seen, memory));
        const shared = Buffer.alloc(bytes.length + 1);
        const edges = places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b);
        for (const [i, end] of [...edges, bytes.length].entries()) {
          const chunk = bytes.subarray(edges[i - 1] ?? 0, end);
          if (chunk.length === 0) continue;
          while (play.socket.paused && play.conn.alive) await turn();
          if (lent) {
            // In another place each time, and overwritten afterwards.
            chunk.copy(shared);
            play.conn.onBytes(shared, chunk.length);
            shared.fill(0xaa);
          } else play.conn.onChunk(Buffer.from(chunk));
          if (i % 2 === 0) await turn();
        }
        for (let n = 0; n < 200 && seen.length < expected.length; n++) await turn();
        await turn();
        expect(seen).toEqual(expected);
        expect([play.conn.alive, play.conn.buffered, play.conn.framesReceived]).toEqual([
          true,
          0,
          expected.length,
        ]);
        await play.receiveEnd();
        expect([play.endpoint.counters.active, play.endpoint.counters.closed.closed]).toEqual([0, 1]);
      },
    ),
    { numRuns: 400 },
  );
});
