/**
 * Our decoders beside `erlang:decode_packet/3` of the installed OTP, on random inputs of every packet type.
 *
 * SEED=n repeats a run, PACKETS=n sets the number of inputs.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { decodePacket, expected, type Vector } from "../../framing/erlang/decode-packet.js";
import { byteByByte } from "../../framing/feed.js";
import { testWith } from "../../support/peers.js";
import { erl } from "./erlang.js";
import { type Question, questions } from "./packet/generate.js";
import { Random, seed } from "./random.js";

const withErl = testWith("erl", "apt-get install erlang-base");
const PACKETS = Number(process.env.PACKETS ?? 20_000);

async function answers(asked: readonly Question[]): Promise<Vector["out"][]> {
  const dir = mkdtempSync(join(tmpdir(), "drover-decode-packet-"));
  try {
    const [from, to] = [join(dir, "questions"), join(dir, "answers")];
    const field = (value: number | undefined) => value ?? "-";
    const line = ({ type, opts, in: hex }: Question) =>
      [type, field(opts.packet_size), field(opts.line_length), field(opts.line_delimiter), hex].join(" ");
    writeFileSync(from, `${asked.map(line).join("\n")}\n`);
    await erl(`decode_packet:run(${JSON.stringify(from)}, ${JSON.stringify(to)})`);
    return readFileSync(to, "utf8")
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

withErl(
  `${PACKETS} random packets are decoded as by the real decode_packet, whole and byte by byte`,
  async () => {
    const from = seed();
    const asked = questions(new Random(from), PACKETS);
    const said = await answers(asked);
    expect(said.length).toBe(asked.length);
    const differences: unknown[] = [];
    for (const [i, question] of asked.entries()) {
      const vector: Vector = { ...question, out: said[i]! };
      const wanted = expected(vector);
      const bytes = Buffer.from(vector.in, "hex");
      // With both limits Erlang looks for the end of a line only in the bytes that are there; an empty line of HTTP, of
      // two bytes, may exceed a limit of one.
      const { packet_size: size, line_length: length } = vector.opts;
      const whole =
        vector.type === "raw" || (vector.type === "line" ? size && length : (size ?? length) === 1);
      for (const chunks of whole ? [[bytes]] : [[bytes], byteByByte(bytes)]) {
        const got = decodePacket(vector, chunks);
        if (JSON.stringify(got) === JSON.stringify(wanted)) continue;
        differences.push({ text: bytes.toString("latin1"), vector, chunks: chunks.length, got, wanted });
      }
    }
    process.stderr.write(`decode_packet: SEED=${from}, ${PACKETS} packets compared\n`);
    expect(differences.slice(0, 3), `SEED=${from}: ${differences.length} differences`).toEqual([]);
  },
);
