/** Every way in which a peer goes: it finishes sending, leaves, breaks off, or talks nonsense. */
import { expect, test } from "vitest";
import { defineProtocol, json, lines, next, packet, resp, stop } from "../../../src/index.js";
import { closedAs, connected, crashes, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const echo = defineProtocol({
  name: "echo",
  framing: packet(2),
  states: { ready: { frame: (conn, frame) => conn.send(frame) } },
});

/** Answers when the test says so. */
function answering() {
  let answer = () => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const protocol = defineProtocol({
    name: "answering",
    framing: packet(2),
    states: {
      ready: {
        frame: async (conn, frame) => {
          await asked;
          conn.send(frame);
        },
      },
    },
  });
  return { protocol, answer };
}

test("a client that finishes sending after its request gets the late answer, then FIN", async () => {
  const { protocol, answer } = answering();
  const server = await serving(protocol);
  const client = (await connected(server)).send("1", "2").finish();
  await until(() => server.counters.framesReceived === 1);
  await turn(5);
  expect(client.ended).toBe(false);
  answer();
  expect((await client.end()).frames).toEqual(["1", "2"]);
  expect(client.code).toBeUndefined();
  expect(await closedAs(server)).toEqual({ closed: 1 });
});

test("ended comes once, after the last frame, and the server may go on sending", async () => {
  const seen: string[] = [];
  const server = await serving(
    defineProtocol({
      name: "halfopen",
      framing: packet(2),
      states: {
        ready: {
          frame: (_, frame) => void seen.push(`${frame}`),
          ended: () => {
            seen.push("ended");
            return next("telling");
          },
        },
        telling: {
          enter: (conn) => conn.send("all heard"),
          ended: () => void seen.push("again"),
          timeout: { after: 1, do: stop() },
        },
      },
    }),
  );
  const client = (await connected(server)).send("1", "2", "3").finish();
  expect((await client.end()).frames).toEqual(["all heard"]);
  expect(await closedAs(server)).toEqual({ closed: 1 });
  expect(seen).toEqual(["1", "2", "3", "ended"]);
});

test("a half-close with a large answer under way: every byte, then FIN, no reset", async () => {
  const server = await serving(
    defineProtocol({
      name: "large",
      framing: packet(2),
      limits: { maxOutbound: 2 ** 30 },
      states: {
        ready: {
          frame: (conn) => {
            for (let n = 0; n < 200; n++) conn.send(Buffer.alloc(60_000, n));
            return stop();
          },
        },
      },
    }),
  );
  const client = await connected(server);
  client.socket.pause();
  // What it sends after its request is never looked at, and must not turn into a reset.
  client.send("go", ...new Array<Buffer>(100).fill(Buffer.alloc(60_000))).finish();
  await until(() => server.counters.outbound > 0);
  client.socket.resume();
  await client.end();
  expect(client.received).toBe(200 * 60_002);
  expect(client.code).toBeUndefined();
  expect(await closedAs(server)).toEqual({ closed: 1 });
});

test("a frame that is cut off by FIN is counted as truncated and reaches no handler", async () => {
  for (const cut of [1, 2, 100]) {
    const server = await serving(echo);
    const bytes = Buffer.alloc(102);
    bytes.writeUInt16BE(200);
    const client = await (await connected(server)).write(bytes.subarray(0, cut)).finish().end();
    expect(client.bytes).toHaveLength(0);
    expect(await closedAs(server)).toEqual({ truncated: 1 });
    expect(server.counters.framesReceived).toBe(0);
  }
});

test("a declared length above the limit ends the connection, after the answers to what came before", async () => {
  const server = await serving({ ...echo, framing: packet(4) });
  const client = await connected(server);
  client.write(Buffer.from([0, 0, 0, 1, 65, 0xff, 0xff, 0xff, 0xff])).write("GET / HTTP/1.1\r\n\r\n");
  await client.end();
  expect([...client.bytes]).toEqual([0, 0, 0, 1, 65]);
  expect(client.code).toBeUndefined();
  client.finish();
  expect(await closedAs(server)).toEqual({ frame_too_long: 1 });
});

test("a line without an end is refused as soon as no next byte could end it", async () => {
  const server = await serving({ ...echo, framing: lines() });
  const client = (await connected(server)).write("fine\n").write("x".repeat(9_000));
  expect((await client.end()).bytes.toString()).toBe("fine\n");
  client.finish();
  expect(await closedAs(server)).toEqual({ frame_too_long: 1 });
});

test("bytes of another protocol end the connection as frame_invalid, after the answers to what came before", async () => {
  const server = await serving({ ...echo, framing: json() });
  const client = (await connected(server)).write('{"a":1}\n').write("GET / HTTP/1.1\r\n\r\n");
  expect((await client.end()).bytes.toString()).toBe('{"a":1}\n');
  client.finish();
  expect(await closedAs(server)).toEqual({ frame_invalid: 1 });
});

test("a redis command in pieces is answered on borrowed memory too", async () => {
  const server = await serving({
    name: "resp",
    framing: resp(),
    frames: "borrowed",
    states: { ready: { frame: (conn, words) => conn.send(words) } },
  });
  const client = (await connected(server)).write("*2\r\n$4\r\nECHO\r\n$5\r\nhe").write("llo\r\nPING\r\n");
  const answers = "*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n*1\r\n$4\r\nPING\r\n";
  await until(() => client.bytes.toString() === answers);
  await client.finish().end();
});

test("a client that connects and leaves, politely or not, is no error", async () => {
  const reports = crashes();
  const server = await serving(echo);
  (await connected(server)).finish();
  (await connected(server)).socket.destroy();
  expect(await until(() => server.counters.accepted === 2 && server.counters.active === 0)).toBe(true);
  (await connected(server)).reset();
  await until(() => server.counters.accepted + server.counters.refused.not_started === 3);
  await closedAs(server);
  expect(server.counters.closed).toMatchObject({ closed: 2, crash: 0 });
  expect(reports).toEqual([]);
});

test("a reset in the header, in the body, or behind an answer is counted as a reset", async () => {
  const stages = [Buffer.from([0]), Buffer.from([0, 9]), Buffer.from([0, 9, 1, 2]), Buffer.from([0, 1, 65])];
  for (const bytes of stages) {
    const server = await serving(echo);
    const client = (await connected(server)).write(bytes);
    await until(() => server.counters.bytesReceived === bytes.length);
    client.reset();
    expect(await closedAs(server)).toEqual({ reset: 1 });
  }
});

test("a reset while a handler waits ends the connection, leave and terminate included", async () => {
  const seen: unknown[] = [];
  const server = await serving(
    defineProtocol({
      name: "waiting",
      framing: packet(2),
      states: { ready: { frame: () => new Promise<never>(() => {}), leave: () => void seen.push("leave") } },
      terminate: (_, reason) => void seen.push(reason),
    }),
  );
  const client = (await connected(server)).send("x");
  await until(() => server.counters.framesReceived === 1);
  client.reset();
  expect(await closedAs(server)).toEqual({ reset: 1 });
  expect(seen).toEqual(["leave", { shutdown: "reset" }]);
});

test("a reset in the middle of a large answer ends it once, and nothing stays counted", async () => {
  let terminated = 0;
  const server = await serving(
    defineProtocol({
      name: "large",
      framing: packet(4, { maxLength: 2 ** 24 }),
      states: { ready: { enter: (conn) => conn.send(Buffer.alloc(2 ** 24)) } },
      terminate: () => void terminated++,
    }),
  );
  const client = await connected(server);
  await until(() => client.received > 0);
  client.socket.pause();
  await until(() => server.counters.outbound > 0);
  client.reset();
  expect(await closedAs(server)).toEqual({ reset: 1 });
  expect(terminated).toBe(1);
});

test("a reset while the last output leaves, or after FIN, keeps the reason for which the connection ended", async () => {
  for (const size of [1, 2 ** 24]) {
    const server = await serving(
      defineProtocol({
        name: "ending",
        framing: packet(4, { maxLength: 2 ** 24 }),
        states: {
          ready: {
            enter: (conn) => {
              conn.send(Buffer.alloc(size));
              return stop("done");
            },
          },
        },
      }),
    );
    const client = await connected(server);
    await until(() => client.received > 0);
    client.reset();
    expect(await closedAs(server)).toEqual({ stopped: 1 });
  }
});

test("what terminate sends after waiting leaves before FIN, also when output is written meanwhile", async () => {
  let go = () => {};
  const server = await serving(
    defineProtocol({
      name: "ending",
      framing: packet(2),
      limits: { maxOutbound: 2 ** 30 },
      states: {
        ready: {
          frame: (conn) => {
            for (let n = 0; n < 200; n++) conn.send(Buffer.alloc(60_000));
            return stop();
          },
        },
      },
      terminate: async (conn) => {
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        conn.send("the end");
      },
    }),
  );
  const client = await connected(server);
  client.socket.pause();
  client.send("x");
  await until(() => server.counters.outbound > 0);
  client.socket.resume();
  await until(() => client.received === 200 * 60_002);
  await turn(5);
  expect(client.ended).toBe(false);
  go();
  expect((await client.end()).frames.at(-1)).toBe("the end");
});
