/** `startTls()`: the handshake is played by the test; real ones are in `start-tls-sockets.test.ts`. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  become,
  defineProtocol,
  exit,
  lines,
  next,
  type Protocol,
  packet,
  postpone,
  send,
  startTls,
  stop,
} from "../../../src/index.js";
import { Connection } from "../../../src/tcp/connection/connection.js";
import type { OpeningFailed } from "../../../src/tcp/observe/events.js";
import type { StartTls } from "../../../src/tcp/opening/terms.js";
import { CompiledProtocol } from "../../../src/tcp/protocol/compiled/compiled-protocol.js";
import type { HandshakeOwner, Socket } from "../../../src/transport/transport.js";
import { packet2 } from "../../support/client.js";
import { FakeSocket } from "../../support/fake-socket.js";
import { playing } from "../../support/playing.js";
import { crashes, manualClock } from "../../support/serving.js";
import { turn } from "../../support/until.js";

class FakeTls {
  readonly secure = new FakeSocket();
  owner: HandshakeOwner | undefined;
  plain: Socket | undefined;
  received: Buffer | undefined;

  readonly startTls: StartTls = (socket, received, owner) => {
    expect(this.owner).toBeUndefined();
    this.owner = this.secure.owner = owner;
    this.plain = socket;
    this.received = received;
    this.secure.written = [];
    const destroy = this.secure.destroy.bind(this.secure);
    this.secure.destroy = () => {
      socket.destroy();
      destroy();
    };
    return this.secure;
  };

  get sent(): string {
    return Buffer.concat(this.secure.written as Buffer[]).toString();
  }
}

const binary: Protocol<any, any, Buffer, any> = defineProtocol({
  name: "binary",
  framing: packet(2),
  states: { open: { frame: (conn, frame) => conn.send(frame) } },
});

const mail: Protocol<any, any, string, string> = defineProtocol({
  name: "mail",
  framing: lines(),
  data: () => ({ seen: [] as string[] }),
  states: {
    clear: {
      frame: (conn, line) => {
        conn.data.seen.push(line);
        if (line === "WAIT") return postpone;
        conn.send(`clear ${line}`);
        return line.startsWith("STARTTLS") ? next("secure", startTls()) : undefined;
      },
      message: async (conn, message) => {
        await turn();
        conn.send(String(message));
        return next("secure", startTls());
      },
      leave: (conn) => conn.data.seen.push("left"),
      shutdown: (conn) => {
        conn.data.seen.push("shutdown in clear");
        return stop("shutdown");
      },
    },
    secure: {
      enter: (conn, from) => {
        conn.data.seen.push(`entered from ${from}`);
        return conn.send("welcome");
      },
      frame: (conn, line) => {
        if (line === "AGAIN") return next("clear", startTls());
        if (line === "BINARY") return become(binary);
        return conn.send(`secure ${line}`);
      },
      message: (conn, message) => conn.send(`message ${message}`),
      shutdown: (conn) => {
        conn.send("bye");
        return stop("shutdown");
      },
    },
  },
  terminate: (conn) => void conn.send("terminated"),
  becomes: () => [binary],
});

async function starting(protocol = mail) {
  const tls = new FakeTls();
  const play = await playing(protocol, { startTls: tls.startTls });
  const failures: OpeningFailed[] = [];
  const listener = (event: unknown) => void failures.push(event as OpeningFailed);
  subscribe("tcp.opening_failed", listener);
  onTestFinished(() => void unsubscribe("tcp.opening_failed", listener));
  return Object.assign(play, { tls, failures, traced: [] as string[] });
}

/** With the handshake under way. */
async function begun() {
  const play = await starting();
  play.conn.trace(({ what, state, content }) => void play.traced.push(`${what} ${state} ${content}`));
  await play.receive("EHLO\nSTARTTLS\n");
  return play;
}

test("what was sent leaves in clear, then TLS begins, and the state changes when it is up", async () => {
  const { tls, conn, socket, ...play } = await begun();
  const clear = () => Buffer.concat(socket.written as Buffer[]).toString();
  expect(clear()).toBe("clear EHLO\nclear STARTTLS\n");
  expect([tls.plain, tls.received?.length, conn.state, socket.paused]).toEqual([socket, 0, "clear", true]);
  // Messages wait; what is sent now leaves encrypted.
  send(conn.pid, "one");
  conn.send("early");
  await turn(3);
  expect([clear(), tls.sent, conn.outbound]).toEqual(["clear EHLO\nclear STARTTLS\n", "", 6]);
  tls.owner?.onSecure(false);
  tls.secure.owner?.onChunk(Buffer.from("MAIL\n"));
  await turn(3);
  expect(conn.data.seen).toEqual(["EHLO", "STARTTLS", "left", "entered from clear"]);
  expect(tls.sent).toBe("early\nwelcome\nmessage one\nsecure MAIL\n");
  expect(clear()).toBe("clear EHLO\nclear STARTTLS\n");
  expect(conn.outbound).toBe(0);
  expect(play.traced).toEqual([
    ...["frame_in clear EHLO", "frame_out clear clear EHLO", "frame_in clear STARTTLS"],
    ...["frame_out clear clear STARTTLS", "event clear startTls", "frame_out clear early"],
    ...["event clear TLS is up", "state secure clear", "frame_out secure welcome", "message secure one"],
    ...["frame_out secure message one", "frame_in secure MAIL", "frame_out secure secure MAIL"],
  ]);
  tls.secure.owner?.onChunk(Buffer.concat([Buffer.from("BINARY\n"), packet2("x")]));
  await turn(2);
  expect(tls.sent.endsWith(packet2("x").toString())).toBe(true);
  tls.secure.owner?.onEnd();
  await turn(2);
  tls.secure.fin = tls.secure.finSeen = true;
  tls.secure.destroy();
  await turn(2);
  expect(play.endpoint.counters).toMatchObject({ active: 0, outbound: 0, framesReceived: 5 });
});

test("an async handler may begin it", async () => {
  const { tls, conn } = await starting();
  send(conn.pid, "hello");
  await turn(4);
  expect(tls.owner).toBeDefined();
  tls.owner?.onSecure(false);
  await turn(2);
  expect([conn.state, tls.sent]).toEqual(["secure", "welcome\n"]);
});

test("a peer that reads slowly gets all that was sent before, and nothing that was sent after, in clear", async () => {
  const play = await starting();
  const { socket, tls, conn } = play;
  socket.slow = true;
  await play.receive("EHLO\nHELP\nSTARTTLS\n");
  conn.send("early");
  conn.send("early too");
  expect([tls.owner, play.sent]).toEqual([undefined, "clear EHLO\nclear HELP\nclear STARTTLS\n"]);
  // Its first byte may come before the last write is reported: it is part of the handshake.
  conn.onChunk(Buffer.from("hello of a client"));
  socket.drain();
  await turn();
  expect(String(tls.received)).toBe("hello of a client");
  expect(play.sent).toBe("clear EHLO\nclear HELP\nclear STARTTLS\n");
  tls.owner?.onSecure(false);
  await turn(2);
  expect(tls.sent).toBe("early\nearly too\nwelcome\n");
  expect(play.endpoint.counters.outbound).toBe(0);
});

test("bytes that come in the same callback, behind a PROXY header, are a part of the handshake", async () => {
  const play = await starting(
    defineProtocol({
      name: "at-once",
      framing: lines(),
      states: { clear: { enter: () => next("secure", startTls()) }, secure: {} },
    }),
  );
  expect(String(play.tls.received)).toBe("");
  const { endpoint, tls } = await starting();
  const conn = new Connection(endpoint, new CompiledProtocol(play.conn.protocol.source), undefined);
  onTestFinished(() => exit(conn.pid, "kill"));
  conn.socketReady(new FakeSocket());
  conn.onChunk(Buffer.from("hello of a client"));
  await turn();
  expect(String(tls.received)).toBe("hello of a client");
});

test("what waits behind a write in clear leaves in clear, in order", async () => {
  const play = await starting();
  const { socket, tls, conn } = play;
  socket.slow = true;
  await play.receive("EHLO\n");
  // A write is outstanding, and this one waits.
  await play.receive("STARTTLS\n");
  conn.send("early");
  socket.drain();
  expect([tls.owner, play.sent]).toEqual([undefined, "clear EHLO\nclear STARTTLS\n"]);
  socket.drain();
  expect(tls.owner).toBeDefined();
  tls.owner?.onSecure(false);
  await turn(2);
  expect([play.sent, tls.sent]).toEqual(["clear EHLO\nclear STARTTLS\n", "early\nwelcome\n"]);
  expect(play.endpoint.counters.outbound).toBe(0);
});

describe("bytes behind the command end the connection, and are no frame", () => {
  test.each(["RSET\n", "R", "\x16\x03\x01"])("%j", async (behind) => {
    const play = await starting();
    await play.receive(`STARTTLS\n${behind}`);
    expect(play.tls.owner).toBeUndefined();
    expect(play.endpoint.counters).toMatchObject({ active: 0, framesReceived: 1, closed: { tls_error: 1 } });
    expect(play.conn.data.seen).toEqual(["STARTTLS", "left"]);
    expect(play.failures).toMatchObject([
      {
        protocol: "mail",
        counted: "tls_error",
        message: `the client sent ${behind.length} bytes in clear behind the command that begins TLS, as an attacker between can do; it must wait for the answer`,
      },
    ]);
    expect(play.sent).toBe("clear STARTTLS\n");
  });

  test("in a chunk of its own, held behind an async handler", async () => {
    const play = await starting();
    send(play.conn.pid, "hello");
    await play.receive("x", 0);
    await turn(4);
    expect(play.endpoint.counters.closed.tls_error).toBe(1);
  });
});

describe("a handshake that is not done", () => {
  test("has 5 s, whatever comes", async () => {
    const clock = manualClock();
    const play = await begun();
    await clock.advance(4_900);
    play.tls.owner?.onChunk(Buffer.from("x"));
    expect(play.conn.alive).toBe(true);
    await clock.advance(400);
    await turn(2);
    expect(play.endpoint.counters).toMatchObject({
      active: 0,
      outbound: 0,
      closed: { handshake_timeout: 1 },
    });
    // Nothing was said in clear, or to a socket that cannot carry it.
    expect([play.sent, play.tls.sent]).toEqual(["clear EHLO\nclear STARTTLS\n", ""]);
    expect(play.conn.data.seen).toEqual(["EHLO", "STARTTLS", "left"]);
    expect(clock.pending).toBe(0);
  });

  test("has 5 s from the command, where the client does not read the answer", async () => {
    const clock = manualClock();
    const play = await starting();
    play.socket.slow = true;
    await play.receive("STARTTLS\n");
    await clock.advance(5_300);
    await turn(2);
    expect(play.endpoint.counters).toMatchObject({
      active: 0,
      outbound: 0,
      closed: { handshake_timeout: 1 },
    });
  });

  test.each([
    ["refused", (owner: HandshakeOwner) => owner.onRefused("tls_refused", "no certificate"), "tls_refused"],
    ["failed", (owner: HandshakeOwner) => owner.onRefused("tls_error", "HTTP"), "tls_error"],
    ["ended", (owner: HandshakeOwner) => owner.onEnd(), "closed"],
    ["reset", (owner: HandshakeOwner) => owner.onClosed("ECONNRESET"), "reset"],
  ] as const)("is counted when %s", async (_name, act, counted) => {
    const play = await begun();
    play.conn.send("early");
    act(play.tls.owner as HandshakeOwner);
    await turn(2);
    expect(play.endpoint.counters).toMatchObject({ active: 0, outbound: 0, closed: { [counted]: 1 } });
    expect(play.tls.secure.closed).toBe(true);
    play.tls.owner?.onSecure(false);
    expect(play.tls.sent).toBe("");
  });

  test("does not hold up a kill, or a shutdown", async () => {
    const clock = manualClock();
    const killed = await begun();
    exit(killed.conn.pid, "kill");
    expect([killed.conn.alive, killed.tls.secure.closed]).toEqual([false, true]);
    const play = await begun();
    exit(play.conn.pid, "shutdown");
    await turn();
    await clock.advance(5_300);
    await turn();
    expect(play.conn.alive).toBe(false);
  });
});

describe("a crash that says so", () => {
  test("a listener without TLS", async () => {
    const reports = crashes();
    const play = await playing(mail);
    await play.receive("STARTTLS\n");
    expect(String(reports[0]?.reason)).toContain(
      'startTls(): listener main has no TLS; set tls: { start: "by_protocol", cert, key }',
    );
  });

  test("TLS that has begun before", async () => {
    const reports = crashes();
    const { tls } = await begun();
    tls.owner?.onSecure(false);
    await turn(2);
    tls.secure.owner?.onChunk(Buffer.from("AGAIN\n"));
    await turn(2);
    expect(String(reports[0]?.reason)).toContain("startTls(): the connection is encrypted already");
  });

  test("frames that came in clear and wait", async () => {
    const reports = crashes();
    const play = await starting();
    await play.receive("WAIT\n");
    send(play.conn.pid, "hello");
    await turn(4);
    expect(String(reports[0]?.reason)).toContain("startTls(): 1 postponed frame waits");
    expect(play.tls.owner).toBeUndefined();
  });

  test("a state that is not there", async () => {
    const reports = crashes();
    const wrong = { ...mail, states: { clear: { frame: () => next("nowhere", startTls()) } } };
    const play = await starting(wrong as never);
    await play.receive("STARTTLS\n");
    expect(String(reports[0]?.reason)).toContain('has no state "nowhere"');
  });
});
