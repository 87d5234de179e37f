/** Random inputs of `decode_packet`: packets of every type, mutated and cut, with and without limits. */

import type { Vector } from "../../../framing/erlang/decode-packet.js";
import { HEADER_NAMES } from "../../../framing/erlang/http-atoms.js";
import type { Random } from "../random.js";

const TYPES = "raw 1 2 4 line asn1 sunrm cdr fcgi tpkt ssl_tls http http_bin httph httph_bin".split(" ");

export type Question = Omit<Vector, "out">;

export function questions(random: Random, count: number): Question[] {
  const below = (n: number) => random.between(0, n - 1);
  const one = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const bytes = (n: number) => Buffer.from(Array.from({ length: n }, () => below(256)));
  const words = ["", "a", "Foo", "x-y", "-a--B", "é", " ", "\t", ":", "\0", "x".repeat(51), "z".repeat(50)];

  const header = (): string =>
    one(["", " ", "\t"]) +
    one([...HEADER_NAMES, ...words, "HOST", "content-type"]) +
    one([":", ": ", " :", ":\t"]) +
    one(words);
  const uris = [
    "*",
    "/",
    "/p?q",
    "x",
    "http://h",
    "HTTP://h:80/p",
    "https://h:x/",
    "http://h:0",
    "a:b",
    "h:443",
    ":",
  ];
  const version = (): string =>
    one(["HTTP/1.1", "HTTP/1.0", "HTTP/1.", "HTTP/12.34", "HTTP/1.1x", "http/1.1", "HTTP/.1", "HTT", ""]);
  const start = (): string =>
    below(3) === 0
      ? `${version()}${one([" ", "  ", ""])}${one(["200", "", "x", "9"])}${one([" ", "", "\t "])}${one(words)}`
      : one(["GET", "get", "PUT", "M@", "FOO"]) +
        one([" ", "  ", "\t"]) +
        one(uris) +
        one([" ", ""]) +
        version();
  const http = (line: () => string): Buffer => {
    const ends = ["\r\n", "\n", "\r\n ", "\n\t", "\r", "\r\n\r\n"];
    const lines = Array.from({ length: 1 + below(3) }, () => line() + one(ends));
    return Buffer.from(one(["", "", "\r\n", "\n"]) + lines.join(""), "latin1");
  };
  const make: Record<string, () => Buffer> = {
    raw: () => bytes(below(20)),
    1: () => Buffer.concat([Buffer.of(below(12)), bytes(below(16))]),
    2: () => Buffer.concat([Buffer.of(0, below(12)), bytes(below(16))]),
    4: () =>
      Buffer.concat([
        one([Buffer.of(0, 0, 0, below(12)), bytes(4), Buffer.of(127, 255, 255, 247 + below(9))]),
        bytes(below(16)),
      ]),
    line: () =>
      Buffer.from(Array.from({ length: below(24) }, () => one([10, 13, 65, 66, 44, 0])).map(Number)),
    asn1: () => {
      const tag =
        below(3) === 0
          ? [0x1f | below(256), ...Array.from({ length: below(4) }, () => 128 + below(128)), below(128)]
          : [below(256)];
      const length = one([
        [below(20)],
        [0x81, below(30)],
        [0x82, 0, below(30)],
        [0x84, 0, 0, 0, below(9)],
        [0x80],
        [0x85, 1],
      ]);
      return Buffer.concat([Buffer.from([...tag, ...length]), bytes(below(24))]);
    },
    sunrm: () =>
      Buffer.concat([one([Buffer.of(128 * below(2), 0, 0, below(12)), bytes(4)]), bytes(below(16))]),
    cdr: () => {
      const little = below(2);
      const head = Buffer.from([71, 73, 79, 80, 1, 2, little, 0, 0, 0, 0, 0]);
      head[little === 1 ? 8 : 11] = below(20);
      return Buffer.concat([head, bytes(below(24))]);
    },
    fcgi: () => Buffer.concat([Buffer.of(1, below(9), 0, 1, 0, below(12), below(6), 0), bytes(below(24))]),
    tpkt: () => Buffer.concat([Buffer.of(3, 0, 0, below(24)), bytes(below(24))]),
    ssl_tls: () =>
      Buffer.concat([
        one([Buffer.of(22, 3, 1, 0, below(12)), Buffer.of(128, below(12), 1, 3, 1)]),
        bytes(below(16)),
      ]),
    http: () => http(start),
    http_bin: () => http(start),
    httph: () => http(header),
    httph_bin: () => http(header),
  };
  return Array.from({ length: count }, () => {
    const type = one(TYPES);
    const made = make[type]!();
    if (below(4) === 0 && made.length > 0) made[below(made.length)] = below(256);
    const input = made.subarray(0, below(3) === 0 ? below(made.length + 1) : made.length);
    const opts: Vector["opts"] = {
      ...(below(3) === 0 ? { packet_size: 2 + below(32) } : {}),
      ...(/^line|^http/.test(type) && below(3) === 0 ? { line_length: 1 + below(12) } : {}),
      ...(type === "line" && below(3) === 0 ? { line_delimiter: one([44, 0, 255, 65]) } : {}),
    };
    return { type: /^\d$/.test(type) ? Number(type) : type, opts, in: input.toString("hex") };
  });
}
