/**
 * Asks, sends and publishes of NATS clients that are no drover (`--outside on`). Any server of the cluster takes one: it
 * knows where a name is held, and which servers have members of a group.
 *
 *   drover.prod.ask.device.42 ─▶ the holder of device/42 ─▶ the reply, or the header Nats-Service-Error-Code
 */
import type { AskCode } from "../../groups/hub/ask-table.js";
import type { Hub } from "../../groups/hub/hub.js";
import type { AskPort, NameHub } from "../../groups/hub/name-hub.js";
import { Message, MessageTooLarge } from "../../groups/message.js";
import { checkName } from "../../groups/name.js";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import type { OutsideMessage } from "./client.js";

export const OUTSIDE_KINDS = ["ask", "send", "publish"] as const;
export type OutsideKind = (typeof OUTSIDE_KINDS)[number];

/** Names that are no subject: with `*`, `>`, spaces, or of one part. */
const NAME_HEADER = "Drover-Name";
/** Milliseconds that an answer may take. */
const WITHIN_HEADER = "Drover-Within-Ms";
const WITHIN = 5_000;
const MAX_WITHIN = 60_000;
/** Asks without an answer yet. */
const MAX_OPEN = 10_000;

/** As the statuses of HTTP. */
const STATUS: Readonly<Record<Exclude<AskCode, "answer">, number>> = {
  nobody: 404,
  ended: 409,
  refused: 422,
  busy: 429,
  unreachable: 503,
  timeout: 504,
};

export interface OutsideParts {
  readonly hub: Pick<Hub<Buffer>, "publish">;
  readonly names: Pick<NameHub<Buffer>, "ask">;
  /** In bytes (`--max-message`). */
  readonly maxMessage: number;
}

interface Open {
  readonly message: OutsideMessage;
  readonly timer: TimerRef;
}

export class Outside implements AskPort<Buffer> {
  readonly #parts: OutsideParts;
  readonly #open = new Map<number, Open>();
  #last = 0;

  constructor(parts: OutsideParts) {
    this.#parts = parts;
  }

  /** @param prefix of the subject, with its last dot: `drover.prod.ask.` */
  handle(kind: OutsideKind, prefix: string, message: OutsideMessage): void {
    try {
      const name = nameOf(prefix, message);
      const body = this.#bodyOf(message);
      if (kind === "publish") this.#parts.hub.publish(name, body, [0, 0]);
      else if (kind === "send") this.#parts.names.ask(this, 0, name, { within: 0, from: [0, 0], body });
      else return this.#ask(name, body, message);
      // Who publishes with `nats req` wants to know that it was taken.
      message.reply("");
    } catch (error) {
      message.fail(error instanceof MessageTooLarge ? 413 : 400, (error as Error).message);
    }
  }

  #ask(name: string, body: Buffer, message: OutsideMessage): void {
    const within = withinOf(message);
    if (this.#open.size >= MAX_OPEN) return message.fail(STATUS.busy, "too many asks have no answer yet");
    this.#last = (this.#last % 0xffff_fffe) + 1;
    const id = this.#last;
    const timer = clock.setTimeout(
      () => this.answered(id, "timeout", `no answer within ${within} ms; it may have been handled`),
      within,
      true,
    );
    this.#open.set(id, { message, timer });
    this.#parts.names.ask(this, id, name, { within, from: [0, 0], body });
  }

  /** Nothing is held here. */
  request(): boolean {
    return false;
  }

  answered(id: number, code: AskCode, body: Buffer | string): void {
    const open = this.#open.get(id);
    if (!open) return;
    this.#open.delete(id);
    clock.clearTimeout(open.timer);
    if (code !== "answer") return open.message.fail(STATUS[code], String(body));
    try {
      open.message.reply(content(Message.read(body as Buffer).value));
    } catch (error) {
      open.message.fail(500, (error as Error).message);
    }
  }

  /** JSON, else text, else bytes. */
  #bodyOf({ data }: OutsideMessage): Buffer {
    const { maxMessage } = this.#parts;
    if (data.length > maxMessage)
      throw new MessageTooLarge(`the message has ${data.length} bytes, at most ${maxMessage} are sent`);
    const text = data.toString("utf8");
    const message = Message.of(
      isJson(text) ? JSON.parse(text) : data.equals(Buffer.from(text)) ? text : data,
      maxMessage,
    );
    const bytes = Buffer.allocUnsafe(message.byteLength);
    message.write(bytes, 0);
    return bytes;
  }
}

/** The name of a group, or of one that holds it: `device.42` is `device/42`, `room.a.b` is `room/a.b`. */
function nameOf(prefix: string, { subject, header }: OutsideMessage): string {
  const given = header(NAME_HEADER);
  if (given !== undefined) return checkName("name", given);
  const rest = subject.slice(prefix.length);
  return checkName("name", rest.replace(".", "/"));
}

function withinOf({ header }: OutsideMessage): number {
  const given = header(WITHIN_HEADER);
  if (given === undefined) return WITHIN;
  const ms = /^\d{1,6}$/.test(given) ? Number(given) : 0;
  if (ms >= 1 && ms <= MAX_WITHIN) return ms;
  throw new Error(`${WITHIN_HEADER} must be a whole number from 1 to ${MAX_WITHIN}`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function content(value: unknown): string | Uint8Array {
  return typeof value === "string" || value instanceof Uint8Array ? value : JSON.stringify(value);
}
