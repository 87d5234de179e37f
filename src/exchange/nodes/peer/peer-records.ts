/**
 * Bytes between the exchanges of two servers: a header, then records as on the link of a worker (`../../records/records.ts`).
 *
 *   header   u8 version · u8 length of the header · 8 bytes incarnation · sequence of the first message · table version
 *            · wall clock in ms · highest token; these four are float64
 *
 *   publish  group   ten bytes without meaning, where a link names the member that does not get it · message
 *   signal   -       u16 worker, serial of the receiver · message
 *   ask      name    u32 id · u32 milliseconds · u16 worker, serial of who asks · message
 *   answer   -       u32 id · u8 code · message or text
 *   query    group   u32 id: which members
 *   reply    -       u32 id · u8 whether it is the last · u16 worker, serial of each member
 *   hello    node    JSON
 *   want     -       u32 id: send all rows
 *   part     -       u32 id of `want` · u32 index · u8 whether it is the last; rows follow
 *   bye      -       -
 *   refuse   node    JSON: this name is taken
 *   beat     -       time of a heartbeat (`round-trip.ts`) · time of the last one that came (-1: none) · milliseconds that it
 *                    was kept; float64
 *   from 80  a row (`row-table.ts`): name · body; an empty body: no such row any more
 *
 * Each row outside of a part adds one to the table version. The sequence counts messages: `publish` and `signal`. In bytes
 * that go to all servers it is 0, and these have no rows. Unknown kinds are passed over, and a longer header is read: a
 * newer version runs beside this one.
 */
import { NODE_NAME } from "../../../text/node-name.js";
import { atLeast, count, MalformedRecord, objectAt } from "../../records/malformed-record.js";
import { KIND } from "../../records/records.js";

export const PEER_KIND = {
  publish: KIND.publish,
  signal: KIND.signal,
  query: KIND.query,
  reply: KIND.reply,
  ask: KIND.ask,
  answer: KIND.answer,
  hello: 64,
  want: 65,
  part: 66,
  bye: 67,
  refuse: 68,
  beat: 69,
  group: 80,
  name: 81,
  presence: 82,
} as const;

/** Kinds from here on are rows, also those that are not known. */
export const FIRST_ROW_KIND = 80;

const VERSION = 1;
export const HEADER = 2 + 8 + 4 * 8;
const SEQUENCE_AT = 10;

export interface PeerHeader {
  /** Inbox of the sender. */
  readonly incarnation: string;
  /** 0: sent to all. */
  readonly sequence: number;
  /** Before the rows of these bytes. */
  readonly tableVersion: number;
  readonly wall: number;
  readonly token: number;
}

export function writeHeader(into: Buffer, at: number, { incarnation, ...header }: PeerHeader): void {
  into[at] = VERSION;
  into[at + 1] = HEADER;
  into.write(incarnation, at + 2, "hex");
  writeSequence(into, header.sequence, at);
  into.writeDoubleBE(header.tableVersion, at + 18);
  into.writeDoubleBE(header.wall, at + 26);
  into.writeDoubleBE(header.token, at + 34);
}

export function writeSequence(into: Buffer, sequence: number, at = 0): void {
  into.writeDoubleBE(sequence, at + SEQUENCE_AT);
}

/** @throws MalformedRecord when it is none. @returns the header and the records behind it */
export function readHeader(bytes: Buffer): { readonly header: PeerHeader; readonly records: Buffer } {
  const length = atLeast(bytes, HEADER).readUInt8(1);
  if (bytes.readUInt8(0) < VERSION || length < HEADER || length > bytes.length)
    throw new MalformedRecord("bytes that do not begin with a header");
  const [sequence, tableVersion, wall, token] = [10, 18, 26, 34].map((at) => count(bytes.readDoubleBE(at)));
  const header = { incarnation: bytes.toString("hex", 2, 10), sequence, tableVersion, wall, token };
  return { header: header as PeerHeader, records: bytes.subarray(length) };
}

/** What a server says of itself. */
export interface Hello {
  /** When it was started, in milliseconds of its wall clock: of two with one name the older one stays. */
  readonly startedAt: number;
  /** When its exchange was started: the newer incarnation of a server counts. */
  readonly since: number;
}

/** The last time that a `Date` can have. */
const LATEST = 8.64e15;

/** @throws MalformedRecord when it is malformed, or of a server with a name that none has */
export function readHello(node: string, body: Buffer): Hello {
  // An empty one would be taken for this server.
  if (!NODE_NAME.test(node)) throw new MalformedRecord("no name of a server");
  const { startedAt, since } = objectAt<Hello>(body, 0);
  if (!isTime(startedAt) || !isTime(since)) throw new MalformedRecord("a hello without times");
  return { startedAt, since };
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= LATEST;
}
