/** Server-sent events out of the pieces of text in which they arrive. */

export interface ServerEvent {
  readonly name: string;
  readonly data: string;
}

export class EventParser {
  #rest = "";

  /** @returns the events that are complete with this piece */
  push(piece: string): ServerEvent[] {
    const blocks = (this.#rest + piece).split(/\r?\n\r?\n/);
    this.#rest = blocks.pop() as string;
    return blocks.flatMap((block) => parse(block) ?? []);
  }
}

/** `undefined`: nothing but a comment. */
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
