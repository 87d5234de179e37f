import fc from "fast-check";
import { lines } from "../../src/framing/lines.js";
import { packet } from "../../src/framing/packet.js";
import type { Payload } from "../../src/framing/payload.js";
import { raw } from "../../src/framing/raw.js";
import { conforms } from "./conformance/conformance.js";

const bytes = {
  samples: [
    "hello",
    "grüße 🐄",
    Buffer.of(0, 10, 13, 255),
    "",
    new Uint8Array([1]),
    Buffer.alloc(190, "ab"),
    "",
  ],
  arbitrary: fc.oneof(fc.uint8Array({ maxLength: 190 }), fc.string({ unit: "grapheme", maxLength: 30 })),
  value: (frame: Payload) => Buffer.from(frame as string).toString("hex"),
};
const text = {
  samples: ["hello", "grüße 🐄", " a\rb\0c ", "", "x", "\uFEFFline", ""],
  arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }).filter((line) => !/\n|\r$/.test(line)),
  value: (line: string) => line,
};

for (const header of [1, 2, 4] as const) {
  const bounds = { bounded: true, ...bytes };
  conforms(`packet(${header})`, { ...bounds, framing: packet(header) });
  const tooLong = Buffer.alloc(header + 201, "x");
  tooLong.writeUIntBE(201, 0, header);
  conforms(`packet(${header}) with a limit of 200 bytes`, {
    ...bounds,
    framing: packet(header, { maxLength: 200 }),
    limit: {
      longest: Buffer.alloc(200, "x"),
      tooLong,
      refusedAfter: header,
      unsendable: Buffer.alloc(201),
    },
  });
}

conforms("packet(4) with frames of many chunks", {
  ...bytes,
  bounded: true,
  framing: packet(4),
  samples: ["hello", "you", Buffer.alloc(3000, "abc"), "", Buffer.alloc(700, "de")],
});

for (const terminator of ["\n", "\r\n"] as const) {
  const bounds = { bounded: true, ...text };
  conforms(`lines that end in ${JSON.stringify(terminator)}`, { ...bounds, framing: lines({ terminator }) });
  conforms(`lines that end in ${JSON.stringify(terminator)} with a limit of 200 bytes`, {
    ...bounds,
    framing: lines({ terminator, maxLength: 200 }),
    limit: {
      longest: "x".repeat(200),
      tooLong: Buffer.alloc(300, "x"),
      refusedAfter: 201,
      unsendable: "ü".repeat(101),
    },
  });
}

conforms("lines of at most 3 bytes", {
  ...text,
  bounded: true,
  framing: lines({ maxLength: 3 }),
  samples: ["abc", "ü", "", "a\rb", "€"],
  arbitrary: fc.constantFrom("", "a", "ab", "abc", "ü", "€", "\ra"),
});

conforms("raw", { ...bytes, bounded: false, framing: raw() });
