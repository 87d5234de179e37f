/** `conn.setFraming`: another framing in mid-stream, wherever the bytes are cut. */
import { describe, expect, test } from "vitest";
import {
  defineProtocol,
  delimited,
  type Framing,
  fixed,
  lines,
  next,
  packet,
  postpone,
  send,
} from "../../../src/index.js";
import { packet2 } from "../../support/client.js";
import { playing } from "../../support/playing.js";
import { connected, crashes, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const commands = delimited("\r\n", { maxLength: 300_000 });

/** As NATS: a line that announces a payload, and the payload with its line end. */
const bus = defineProtocol({
  name: "bus",
  framing: commands,
  frames: "borrowed",
  limits: { highWater: 1e6, maxOutbound: 1e6 },
  data: () => ({ subject: "" }),
  states: {
    command: {
      frame: (conn, line) => {
        const [, subject, size] = /^PUB (\w+) (\d+)$/.exec(String(line)) ?? [];
        if (size === undefined) return void conn.send(`-ERR ${line}`);
        conn.data.subject = subject as string;
        conn.setFraming(fixed(Number(size) + 2));
        return next("payload");
      },
    },
    payload: {
      frame: (conn, bytes) => {
        conn.setFraming(commands);
        conn.send(`+${conn.data.subject} ${bytes.subarray(0, -2).toString("hex")}`);
        return next("command");
      },
    },
  },
});

const published = [
  "PUB a 5\r\nhello\r\n",
  "PUB b 0\r\n\r\n",
  "PING\r\n",
  "PUB c 7\r\nx\r\ny\r\nz\r\n",
  "PUB d 1\r\n!\r\n",
];
const hex = (text: string) => Buffer.from(text).toString("hex");
const answered = `+a ${hex("hello")}\r\n+b \r\n-ERR PING\r\n+c ${hex("x\r\ny\r\nz")}\r\n+d 21\r\n`;

describe.each(["handle", "stream"] as const)("on %s", (transport) => {
  test("a line, then so many bytes, in one chunk and in others", async () => {
    const server = await serving(bus, { transport });
    const all = Buffer.from(published.join(""));
    const cuts = [[], [3], [9, 10, 11], [20, 40], Array.from(all, (_, at) => at)];
    for (const cut of cuts) {
      const client = await connected(server);
      for (const [i, at] of [0, ...cut].entries()) {
        client.write(all.subarray(at, cut[i] ?? all.length));
        if (cut.length > 0) await new Promise(setImmediate);
      }
      await until(() => client.bytes.length >= answered.length);
      expect(client.bytes.toString()).toBe(answered);
    }
  });

  test("thousands of changes in a chunk, and large payloads", async () => {
    const server = await serving(bus, { transport });
    const client = await connected(server);
    const large = "x".repeat(100_000);
    client.write(`${published.join("").repeat(2_000)}PUB large ${large.length}\r\n${large}\r\n`);
    const expected = `${answered.repeat(2_000)}+large ${hex(large)}\r\n`;
    await until(() => client.bytes.length >= expected.length);
    expect(client.bytes.toString() === expected).toBe(true);
  });
});

test("a text ends at its own delimiter, as after DATA of SMTP", async () => {
  const text = delimited("\r\n.\r\n", { maxLength: 1_000 });
  const mail = defineProtocol({
    name: "mail",
    framing: commands,
    data: () => ({ text: "" }),
    states: {
      command: {
        frame: (conn, line) => {
          if (String(line) !== "DATA") return void conn.send(`500 ${line}`);
          conn.send("354 go ahead");
          conn.setFraming(text);
          return next("text");
        },
      },
      text: {
        frame: (conn, body) => {
          conn.setFraming(commands);
          conn.send(`250 ${body.length} bytes`);
          return next("command");
        },
      },
    },
  });
  const { receive, socket, ...play } = await playing(mail);
  await receive("NOOP\r\nDATA\r\nhello\r\nDATA\r\n.\r\nQUIT\r\n");
  expect(Buffer.concat(socket.written as Buffer[]).toString()).toBe(
    "500 NOOP\r\n354 go ahead\r\n250 11 bytes\r\n500 QUIT\r\n",
  );
  expect(play.conn.buffered).toBe(0);
});

/** Says each frame; a message changes the framing. */
const said = defineProtocol({
  name: "said",
  framing: commands,
  states: {
    ready: {
      frame: (conn, frame) => conn.send(`<${frame}>`),
      message: (conn, framing: any) => conn.setFraming(framing),
    },
  },
});

test("what is incomplete in one framing is read again in the other, without another byte", async () => {
  const play = await playing(said);
  await play.receive("one\r\nabcdef");
  expect([play.sent, play.conn.buffered]).toEqual(["<one>\r\n", 6]);
  send(play.conn.pid, delimited("d"));
  await turn(3);
  expect([play.sent, play.conn.buffered]).toEqual(["<one>\r\n<abc>d", 2]);
});

test("it can be changed from outside of the handlers", async () => {
  const play = await playing(said);
  await play.receive("abc");
  play.conn.setFraming(delimited("b"));
  await turn(3);
  expect([play.sent, play.conn.buffered]).toEqual(["<a>b", 1]);
});

test("an async handler changes it between two frames of a chunk", async () => {
  const slowly = defineProtocol({
    ...said,
    states: {
      ready: {
        frame: async (conn, frame: Buffer) => {
          await turn();
          conn.send(`<${frame}>`);
          conn.setFraming(String(frame) === "a" ? delimited("!\r\n") : commands);
        },
      },
    },
  });
  const play = await playing(slowly);
  await play.receive("a\r\nb\r\nc!\r\nd\r\n", 20);
  expect(play.sent).toBe("<a>\r\n<b\r\nc>!\r\n<d>\r\n");
});

test("a frame that is too long for the other framing ends the connection as it would have", async () => {
  const play = await playing(said);
  await play.receive("abcdef");
  send(play.conn.pid, delimited("x", { maxLength: 3 }));
  await turn(3);
  expect(play.endpoint.counters.closed.frame_too_long).toBe(0);
  await play.receiveEnd();
  expect(play.endpoint.counters.closed.frame_too_long).toBe(1);
});

test("postponed frames are refused by name, and the framing stays", async () => {
  const waiting = defineProtocol({
    name: "waiting",
    framing: lines(),
    states: {
      closed: {
        frame: () => postpone,
        message: (conn, what) => {
          if (what === "open") return next("open");
          expect(() => conn.setFraming(lines({ terminator: "\r\n" }))).toThrow(
            "conn.setFraming(lines): 2 postponed frames wait (lines, protocol waiting, state closed); handle them first",
          );
          return conn.send("refused");
        },
      },
      open: { frame: (conn, line) => conn.send(`<${line}>`) },
    },
  });
  const play = await playing(waiting);
  await play.receive("a\nb\n");
  send(play.conn.pid, "try");
  await turn(2);
  send(play.conn.pid, "open");
  await turn(2);
  expect(play.sent).toBe("refused\n<a>\n<b>\n");
  expect(play.conn.alive).toBe(true);
});

test("what is no framing, and a decoder that cannot hand its bytes over, are refused by name", async () => {
  const own: Framing<Buffer, any> = {
    name: "own",
    decoder: () => {
      let rest = Buffer.alloc(0);
      return {
        get buffered() {
          return rest.length;
        },
        push: (chunk) => void (rest = Buffer.concat([rest, chunk])),
        pull: () => undefined,
      };
    },
    encodedLength: () => 0,
    encodeInto: (_frame, _target, offset) => offset,
  };
  const play = await playing({ ...said, framing: own });
  expect(() => play.conn.setFraming({ name: "x" } as any)).toThrow(/^conn\.setFraming: "framing" must be/);
  play.conn.setFraming(commands);
  play.conn.setFraming(own);
  await play.receive("abc");
  expect(() => play.conn.setFraming(commands)).toThrow("framing own: its decoder has no rest()");
});

test("a plain connection keeps its protocol, and one that returns to its framing gets it back", async () => {
  const play = await playing(said);
  const before = play.conn.protocol;
  play.conn.setFraming(fixed(3));
  const { protocol } = play.conn;
  expect([protocol.framing.name, protocol.readMemory, protocol.initial]).toEqual([
    "fixed(3)",
    before.readMemory,
    before.initial,
  ]);
  play.conn.setFraming(commands);
  expect(play.conn.protocol).toBe(before);
});

test("after the end it is ignored", async () => {
  const reports = crashes();
  const play = await playing({
    ...said,
    terminate: (conn) => conn.setFraming(fixed(3)),
  });
  await play.receive(packet2("x").subarray(0, 1));
  await play.receiveEnd();
  play.conn.setFraming(fixed(3));
  expect([play.conn.alive, reports]).toEqual([false, []]);
  expect(packet(1).name).toBe("packet(1)");
});
