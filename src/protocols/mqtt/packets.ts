/** Packets of MQTT 3.1.1 (OASIS standard), and the framing that reads and writes them. A frame is a packet. */
import { customFraming, FramingError } from "../../index.js";
import { isFilter, isTopic } from "./topics.js";

export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}
export interface Filter {
  readonly filter: string;
  readonly qos: 0 | 1;
}
export type Packet =
  | ({
      readonly type: "connect";
      readonly level: number;
      readonly clientId: string;
      readonly clean: boolean;
    } & { readonly keepAlive: number; readonly will: Message | undefined })
  | ({ readonly type: "publish"; readonly id: number } & Message)
  | { readonly type: "puback"; readonly id: number }
  | { readonly type: "subscribe"; readonly id: number; readonly filters: readonly Filter[] }
  | { readonly type: "unsubscribe"; readonly id: number; readonly filters: readonly string[] }
  | { readonly type: "pingreq" }
  | { readonly type: "disconnect" };

/** What may be wrong with a packet: each has a counter. */
export const FAULTS = [
  "length",
  "type",
  "flags",
  "qos",
  "truncated",
  "text",
  "topic",
  "id",
  "connect",
] as const;
type Fault = (typeof FAULTS)[number];

/** Of an error of the framing; what is not in the list is counted as "other". */
export const faultOf = (error: Error): Fault => error.message as Fault;

function wrong(fault: Fault): never {
  throw new FramingError("frame_invalid", fault);
}

const MAX_LENGTH = 256 * 1024;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads the fields of a packet from its body, one after the other. */
class Fields {
  #at = 0;
  readonly #body: Buffer;
  constructor(body: Buffer) {
    this.#body = body;
  }

  get left(): number {
    return this.#body.length - this.#at;
  }

  bytes(length: number): Buffer {
    if (length > this.left) wrong("truncated");
    this.#at += length;
    return this.#body.subarray(this.#at - length, this.#at);
  }

  byte = (): number => this.bytes(1)[0] as number;
  number = (): number => this.bytes(2).readUInt16BE();
  binary = (): Buffer => this.bytes(this.number());
  rest = (): Buffer => this.bytes(this.left);

  text(): string {
    try {
      const text = UTF8.decode(this.binary());
      if (!text.includes("\0")) return text;
    } catch (error) {
      if (error instanceof FramingError) throw error;
    }
    return wrong("text");
  }

  topic(): string {
    const topic = this.text();
    return isTopic(topic) ? topic : wrong("topic");
  }

  filter(): string {
    const filter = this.text();
    return isFilter(filter) ? filter : wrong("topic");
  }

  id = (): number => this.number() || wrong("id");
}

/** Quality of service 2 is not served: a packet that asks for it is an error, as for 3, which does not exist. */
const qosOf = (bits: number): 0 | 1 => (bits === 0 || bits === 1 ? bits : wrong("qos"));

function connect(fields: Fields): Packet {
  if (fields.text() !== "MQTT") wrong("connect");
  const [level, flags, keepAlive] = [fields.byte(), fields.byte(), fields.number()];
  if (flags & 1) wrong("flags");
  const clientId = fields.text();
  let will: Message | undefined;
  if (flags & 0x04) {
    const topic = fields.topic();
    will = {
      topic,
      payload: Buffer.from(fields.binary()),
      qos: qosOf((flags >> 3) & 3),
      retain: (flags & 0x20) !== 0,
    };
  } else if (flags & 0x38) wrong("flags");
  // User and password are read, and everyone is let in.
  if (flags & 0x80) fields.text();
  if (flags & 0x40) fields.binary();
  return { type: "connect", level, clientId, clean: (flags & 2) !== 0, keepAlive, will };
}

function publish(fields: Fields, flags: number): Packet {
  const qos = qosOf((flags >> 1) & 3);
  const topic = fields.topic();
  const id = qos === 0 ? 0 : fields.id();
  // Copied, since it may be kept: as a view it would keep all that came with it.
  return { type: "publish", topic, id, qos, retain: (flags & 1) !== 0, payload: Buffer.from(fields.rest()) };
}

function listOf<T>(fields: Fields, one: () => T): T[] {
  const list: T[] = [];
  do list.push(one());
  while (fields.left > 0);
  return list;
}

/** A subscription may ask for 2 and is granted 1. */
const granted = (qos: number): 0 | 1 => (qos > 2 ? wrong("qos") : qos === 0 ? 0 : 1);

function packetOf(type: number, flags: number, fields: Fields): Packet {
  if (type !== 3 && flags !== (type === 8 || type === 10 ? 2 : 0)) wrong("flags");
  switch (type) {
    case 1:
      return connect(fields);
    case 3:
      return publish(fields, flags);
    case 4:
      return { type: "puback", id: fields.id() };
    case 8: {
      const id = fields.id();
      const one = () => ({ filter: fields.filter(), qos: granted(fields.byte()) });
      return { type: "subscribe", id, filters: listOf(fields, one) };
    }
    case 10:
      return { type: "unsubscribe", id: fields.id(), filters: listOf(fields, () => fields.filter()) };
    case 12:
      return { type: "pingreq" };
    case 14:
      return { type: "disconnect" };
    default:
      return wrong("type");
  }
}

/** First byte: type and flags. Then the length of the rest in 1 to 4 bytes, seven bits each, the lowest first. */
function decode(bytes: Buffer) {
  let [length, at] = [0, 1];
  for (let byte = 0x80; byte & 0x80; at++) {
    if (at === 5) wrong("length");
    if (at === bytes.length) return undefined;
    byte = bytes[at] as number;
    length += (byte & 0x7f) * 128 ** (at - 1);
  }
  if (length > MAX_LENGTH) wrong("length");
  if (bytes.length < at + length) return at + length;
  const first = bytes[0] as number;
  const fields = new Fields(bytes.subarray(at, at + length));
  const frame = packetOf(first >> 4, first & 15, fields);
  if (fields.left > 0) wrong("length");
  return { frame, length: at + length };
}

export const framing = customFraming<Packet, Buffer>({
  name: "mqtt",
  decode,
  encode: (bytes) => bytes,
  maxLength: MAX_LENGTH + 5,
});

/** A packet for the client: first byte, length, body. */
export function packet(first: number, ...body: readonly Uint8Array[]): Buffer {
  const head = [first];
  let length = body.reduce((sum, { length }) => sum + length, 0);
  do {
    head.push((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
    length >>= 7;
  } while (length > 0);
  return Buffer.concat([Buffer.from(head), ...body]);
}

export const number = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);

export function publishPacket({ topic, payload, retain }: Message, qos: 0 | 1, id: number): Buffer {
  const name = Buffer.from(topic);
  const head = [number(name.length), name, ...(qos === 0 ? [] : [number(id)])];
  return packet(0x30 | (qos << 1) | (retain ? 1 : 0), ...head, payload);
}
