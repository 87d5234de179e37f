/** Parser for server-sent events (`text/event-stream`), fed with pieces of the response body. */

export interface ServerEvent {
  readonly name: string;
  readonly data: string;
}

/** Largest event, in characters; the server writes far smaller ones. A stream that is not ours could grow without end. */
const MAX_EVENT = 16 * 1024 * 1024;

export class EventParser {
  #rest = "";

  /**
   * @returns the events that this piece completes; comments are skipped
   * @throws RangeError for an event of more than 16 Mi characters
   */
  push(piece: string): ServerEvent[] {
    const blocks = (this.#rest + piece).split(/\r?\n\r?\n/);
    this.#rest = blocks.pop() as string;
    if (this.#rest.length > MAX_EVENT) throw new RangeError("the event stream has an event without end");
    return blocks.flatMap((block) => parse(block) ?? []);
  }
}

/** `undefined`: a block without data. */
function parse(block: string): ServerEvent | undefined {
  let name = "message";
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? undefined : { name, data: data.join("\n") };
}
