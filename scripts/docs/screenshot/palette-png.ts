/** Converts a screenshot to a PNG with a palette of 256 colours, which is a third of the size. */
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOURS = 256;
/** Bytes per pixel by PNG colour type; screenshots have one of these. */
const CHANNELS: Readonly<Record<number, number>> = { 2: 3, 6: 4 };

/** @throws Error unless the PNG has 8 bits per channel, as browsers write it */
export function toPalettePng(png: Buffer): Buffer {
  const chunks = chunksOf(png);
  const header = chunks.find(({ type }) => type === "IHDR")?.data as Buffer;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = CHANNELS[header[9] as number];
  if (header[8] !== 8 || channels === undefined || header[12] !== 0)
    throw new Error("screenshot is not a PNG with 8 bits per channel");
  const data = chunks.filter(({ type }) => type === "IDAT").map((chunk) => chunk.data);
  const pixels = unfiltered(inflateSync(Buffer.concat(data)), width * channels, channels);
  const colours = coloursOf(pixels, channels);
  const palette = [...byFrequency(colours)].slice(0, COLOURS);
  const places = placesIn(palette, colours);
  // One byte per pixel; rows without a filter, which does not help with palette indexes.
  const rows = Buffer.alloc(height * (width + 1));
  for (const [at, colour] of colours.entries())
    rows[at + Math.floor(at / width) + 1] = places.get(colour) as number;
  const head = Buffer.from(header);
  head[9] = 3;
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", head),
    chunk("PLTE", Buffer.from(palette.flatMap(partsOf))),
    chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

function chunksOf(png: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString("latin1", at + 4, at + 8);
    chunks.push({ type, data: png.subarray(at + 8, at + 8 + length) });
    at += length + 12;
  }
  return chunks;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** Undoes the filters of PNG: rows are stored as differences from the pixel to the left or above. */
function unfiltered(filtered: Buffer, stride: number, channels: number): Buffer {
  const pixels = Buffer.alloc((filtered.length / (stride + 1)) * stride);
  for (let row = 0; row * stride < pixels.length; row++) {
    const filter = filtered[row * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const at = row * stride + x;
      const left = x < channels ? 0 : (pixels[at - channels] as number);
      const above = row === 0 ? 0 : (pixels[at - stride] as number);
      const corner = x < channels || row === 0 ? 0 : (pixels[at - stride - channels] as number);
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][
        filter as number
      ] as number;
      pixels[at] = (filtered[row * (stride + 1) + 1 + x] as number) + guess;
    }
  }
  return pixels;
}

function paeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? above : corner;
}

/** One number per pixel; alpha is ignored, a page is opaque. */
function coloursOf(pixels: Buffer, channels: number): Uint32Array {
  const colours = new Uint32Array(pixels.length / channels);
  for (const at of colours.keys()) colours[at] = pixels.readUIntBE(at * channels, 3);
  return colours;
}

function byFrequency(colours: Uint32Array): number[] {
  const counts = new Map<number, number>();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([colour]) => colour);
}

/** The index of the nearest palette entry for each colour. */
function placesIn(palette: readonly number[], colours: Uint32Array): Map<number, number> {
  const parts = palette.map(partsOf);
  return new Map(
    [...new Set(colours)].map((colour) => {
      const distances = parts.map((one) => distance(one, partsOf(colour)));
      return [colour, distances.indexOf(Math.min(...distances))];
    }),
  );
}

type Parts = readonly [red: number, green: number, blue: number];

function partsOf(colour: number): Parts {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
}

function distance(a: Parts, b: Parts): number {
  return a.reduce((sum, part, at) => sum + (part - (b[at] as number)) ** 2, 0);
}
