import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as erlang from "../../../src/framing/erlang.js";
import { encode } from "../../../src/framing/framing.js";
import type { HttpFrame } from "../../../src/framing/http/frames.js";
import { byteByByte, cutAt, cutBytes, feed, thrownBy, wire } from "../feed.js";

type Frame = HttpFrame<string>;
const read = (text: string, framing = erlang.http()) =>
  feed(framing.decoder(), [Buffer.from(text, "latin1")]);
const request = (path: string): Frame => ({
  kind: "request",
  method: "GET",
  uri: { kind: "abs_path", path },
  version: [1, 1],
});
const header = (name: string, value: string): Frame => ({ kind: "header", name, original: name, value });
const end: Frame = { kind: "end" };

const letters = "abcdefghijklmnopqrstuvwxyz";
const name = fc
  .string({ unit: fc.constantFrom(...letters, "-"), minLength: 1, maxLength: 20 })
  .map((text) => `X${text}`);
const value = fc
  .string({ unit: fc.integer({ min: 32, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 40 })
  .map((text) => text.trimStart());
const message = fc
  .record({
    path: fc.string({ unit: fc.constantFrom(...letters, "/", "?", "%"), maxLength: 30 }),
    headers: fc.array(fc.tuple(name, value), { maxLength: 5 }),
  })
  .map(({ path, headers }): Frame[] => [
    request(`/${path}`),
    ...headers.map(([field, text]): Frame => ({ kind: "header", name: field, original: field, value: text })),
    end,
  ]);
/** Frames with the canonical name left out: it is not sent. */
const sent = (frames: readonly Frame[]) =>
  frames.map((frame) => (frame.kind === "header" ? { ...frame, name: "" } : frame));

describe("erlang.http", () => {
  it("reads message after message: first line, headers, end", () => {
    const text = "GET /a HTTP/1.1\r\nhost: x\r\nX-a:\t1\r\n\r\nHTTP/1.0 204 No\r\n\r\n";
    expect(read(text)).toEqual([
      request("/a"),
      { kind: "header", name: "Host", original: "host", value: "x" },
      { kind: "header", name: "X-A", original: "X-a", value: "1" },
      end,
      { kind: "response", version: [1, 0], status: 204, reason: "No" },
      end,
    ]);
  });

  it("keeps a folded value in one piece", () => {
    expect(read("GET / HTTP/1.1\nA: 1\r\n 2\n\t3\nB: 4\n\n").slice(1, 3)).toEqual([
      header("A", "1\r\n 2\n\t3"),
      header("B", "4"),
    ]);
  });

  it("gives a line that is not HTTP as an error frame, and goes on", () => {
    expect(read("\r\nGET / HTTP/1.1\r\nno header\r\nA: b\r\n\r\n")).toEqual([
      { kind: "error", line: "\r\n" },
      request("/"),
      { kind: "error", line: "no header\r\n" },
      header("A", "b"),
      end,
    ]);
  });

  it("refuses numbers that 32 bits do not hold, which Erlang lets wrap around", () => {
    expect(read("HTTP/1.1 99999999999 OK\r\n")).toEqual([
      { kind: "error", line: "HTTP/1.1 99999999999 OK\r\n" },
    ]);
    expect(read("GET http://h:99999999999/ HTTP/1.1\r\n")).toMatchObject([
      { uri: { host: "h", port: undefined } },
    ]);
  });

  it("has Buffers for text where the type says bin, views of the chunk", () => {
    const chunk = Buffer.from("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    const frames = feed(erlang.httpBin().decoder(), [chunk]);
    expect(frames).toMatchObject([
      { uri: { path: Buffer.from("/a") } },
      { name: "Host", value: Buffer.from("x") },
      end,
    ]);
    expect((frames[1] as { value: Buffer }).value.buffer).toBe(chunk.buffer);
  });

  it("reads the same frames however the bytes are cut, and knows what is begun", () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 4 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
        (messages, places) => {
          const frames = messages.flat();
          const bytes = wire(erlang.http(), frames);
          const cuts = places.map((place) => Math.floor(place * bytes.length));
          for (const chunks of [[Buffer.from(bytes)], byteByByte(bytes), cutAt(bytes, cuts)]) {
            const decoder = erlang.http().decoder();
            expect(sent(feed(decoder, chunks))).toEqual(sent(frames));
            expect(decoder.buffered).toBe(0);
          }
        },
      ),
    );
  });

  it("comes to the same verdict on any bytes, however they are cut", () => {
    const unit = fc.constantFrom(..."GET / HTTP/1.1:ax\r\n\n\n\r\n \t");
    const bytes = fc.string({ unit, maxLength: 80 }).map((text) => Buffer.from(text, "latin1"));
    const verdict = (chunks: Buffer[], make: (options: object) => ReturnType<typeof erlang.http>) => {
      const decoder = make({ packetSize: 20 }).decoder();
      const frames: Frame[] = [];
      try {
        for (const chunk of chunks) {
          decoder.push(chunk);
          for (let frame = decoder.pull(); frame; frame = decoder.pull()) frames.push(frame);
        }
      } catch (error) {
        return [frames, (error as { code: string }).code];
      }
      return [frames, decoder.buffered];
    };
    fc.assert(
      fc.property(cutBytes(bytes), fc.constantFrom(erlang.http, erlang.httph), ({ bytes, cuts }, make) => {
        const whole = verdict([Buffer.from(bytes)], make);
        expect(verdict(cutAt(bytes, cuts), make)).toEqual(whole);
        expect(verdict(byteByByte(bytes), make)).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  it("takes lineLength for packetSize where that is not set, as Erlang", () => {
    const limit = (options: object) =>
      thrownBy(() => feed(erlang.http(options).decoder(), [Buffer.alloc(99, "x")])).message;
    expect(limit({ lineLength: 20 })).toContain("a line of more than 20 bytes");
    expect(limit({ lineLength: 20, packetSize: 30 })).toContain("a line of more than 30 bytes");
    expect(() => erlang.httph({ lineLength: 0 })).toThrow(
      "httph: lineLength is a whole number of bytes from 1",
    );
  });

  it("refuses a line above the limit as soon as that is certain", () => {
    const framing = erlang.http({ packetSize: 20 });
    expect(read(`GET /aaaa HTTP/1.1\r\n`, framing)).toHaveLength(1);
    const decoder = framing.decoder();
    expect(feed(decoder, byteByByte(Buffer.alloc(19, "x")))).toEqual([]);
    const error = thrownBy(() => feed(decoder, [Buffer.from("x")]));
    expect([error.code, error.message]).toEqual([
      "frame_too_long",
      "http: the peer sends a line of more than 20 bytes; raise packetSize if that is right; if not, the peer speaks another protocol",
    ]);
    expect(thrownBy(() => decoder.pull()).code).toBe("frame_too_long");
    expect(thrownBy(() => encode(framing, request("/aaaaa"))).code).toBe("send_too_long");
  });
});

describe("frames that erlang.http sends", () => {
  it("are the lines of a message", () => {
    const frames: Frame[] = [
      { kind: "response", version: [1, 1], status: 200, reason: "OK" },
      { kind: "header", name: "Content-Length", value: "0" },
      end,
      { kind: "request", method: "GET", uri: "*", version: [0, 9] },
      {
        kind: "request",
        method: "PUT",
        uri: { kind: "absoluteURI", scheme: "http", host: "h", port: 80, path: "/p" },
        version: [1, 0],
      },
      {
        kind: "request",
        method: "CONNECT",
        uri: { kind: "scheme", scheme: "h", rest: "443" },
        version: [1, 1],
      },
    ];
    expect(wire(erlang.http(), frames).toString()).toBe(
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nGET *\r\nPUT http://h:80/p HTTP/1.0\r\nCONNECT h:443 HTTP/1.1\r\n",
    );
  });

  it("cannot carry a line end, a blank or a character that would be read as something else", () => {
    const wrong: unknown[] = [
      undefined,
      null,
      7,
      {},
      { kind: "error", line: "x" },
      header("A", "b\r\nSet-Cookie: c"),
      header("A", "b\n c"),
      header("A", " b"),
      header("A", "€"),
      header("A b", "c"),
      header("A:", "c"),
      header("", "c"),
      request("/a b"),
      request("/a\r\nX: y"),
      { ...request("/"), method: "GE T" },
      { ...request("/"), uri: undefined },
      { ...request("/"), version: [1.5, 1] },
      { kind: "response", version: [1, 1], status: 99, reason: "" },
      { kind: "response", version: [1, 1], status: 200, reason: "a\nb" },
    ];
    for (const frame of wrong) {
      const error = thrownBy(() => erlang.http().encodedLength(frame as Frame));
      expect([frame, error.code]).toEqual([frame, "send_invalid"]);
    }
  });

  it("may have Buffers for text", () => {
    const framing = erlang.httphBin();
    const frame = { kind: "header", name: "A", value: Buffer.from([0x61, 0xe9]) } as const;
    expect(encode(framing, frame)).toEqual(Buffer.from("A: a\xe9\r\n", "latin1"));
  });
});
