/**
 * Values of RESP2 and RESP3 (Redis serialization protocol specification) in JavaScript:
 *
 *     +OK simple string   string         $ bulk string    Buffer          * array   Array
 *     -ERR error          RespError      ! bulk error     RespError       ~ set     Set
 *     :1  integer         number, bigint (beyond 2^53)    , double number % map     Map
 *     _   null, $-1, *-1  null           # boolean        boolean         > push    RespPush
 *     (   big number      bigint         = verbatim string RespVerbatim
 *
 * Keys of maps that are bulk strings become strings.
 */

/** An error reply: `conn.send(new RespError("ERR unknown command"))`. An `Error` of JavaScript is refused. */
export class RespError {
  /** Without it the compiler would take any `Error` for one. */
  readonly name = "RespError";
  readonly message: string;
  /** @param message one line, by custom with a word in capitals first: `ERR`, `WRONGTYPE`, `NOAUTH` */
  constructor(message: string) {
    this.message = message;
  }
}

/** A string with a format of three characters, "txt" or "mkd". RESP3 only. */
export class RespVerbatim {
  readonly format: string;
  readonly text: Buffer;
  constructor(format: string, text: Buffer) {
    this.format = format;
    this.text = text;
  }
}

/** A message that answers no command, such as one of a subscription. RESP3 only; in RESP2 an array. */
export class RespPush {
  readonly items: readonly RespValue[];
  constructor(items: readonly RespValue[]) {
    this.items = items;
  }
}

/**
 * What a server sends: a string is a simple string (`+OK`), bytes a bulk string, a number or bigint an integer (a number
 * with a fraction a double), `null` nothing, an array an array, a Map a map, a Set a set; errors are `RespError`. In RESP2
 * a map or set is an array, a boolean 0 or 1, a double a bulk string.
 */
export type RespValue =
  | string
  | Uint8Array
  | number
  | bigint
  | boolean
  | null
  | RespError
  | RespVerbatim
  | RespPush
  | readonly RespValue[]
  | ReadonlyMap<RespValue, RespValue>
  | ReadonlySet<RespValue>;

/** A word of a command to be sent: bytes, text (UTF-8), or a number in decimal. */
export type RespWord = string | Uint8Array | number | bigint;

export const LF = 0x0a;
export const CR = 0x0d;
export const MINUS = 0x2d;
