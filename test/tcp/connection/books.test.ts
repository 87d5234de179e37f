/** The books of a connection after anything that can happen to it, over a socket that the test plays. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  become,
  defineProtocol,
  exit,
  ManualClock,
  next,
  packet,
  postpone,
  send,
  startTls,
  stop,
  sys,
  useClock,
} from "../../../src/index.js";
import { processCount } from "../../../src/otp/process/process.js";
import { Connection } from "../../../src/tcp/connection/connection.js";
import { Endpoint } from "../../../src/tcp/endpoint.js";
import { Loop } from "../../../src/tcp/loop/loop.js";
import { CompiledProtocol } from "../../../src/tcp/protocol/compiled/compiled-protocol.js";
import type { AnyProtocol } from "../../../src/tcp/protocol/protocol.js";
import { packet2 } from "../../support/client.js";
import { FakeSecureSocket, FakeSocket } from "../../support/fake-socket.js";
import { turn } from "../../support/until.js";

type Step =
  | { readonly do: "frames"; readonly frames: readonly string[] }
  | { readonly do: "message"; readonly text: string }
  | { readonly do: "advance"; readonly ms: number }
  | {
      readonly do:
        | "fin"
        | "reset"
        | "slow"
        | "drain"
        | "settle"
        | "suspend"
        | "resume"
        | "exit"
        | "kill"
        | "spawn"
        | "active"
        | "flood"
        | "half"
        | "up"
        | "refuse";
    };

const WORDS = [
  "echo",
  "large",
  "later",
  "next",
  "async",
  "async later",
  "async next",
  "room",
  "passive",
  "framing",
  "become",
  "async become",
  "secure",
  "async secure",
  "stop",
  "throw",
];
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("frames" as const),
      frames: fc.array(fc.constantFrom(...WORDS.slice(0, 14)), { minLength: 1, maxLength: 90 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("frames" as const),
      frames: fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom("secure", "async secure", "become")
      .map((word): Step => ({ do: "frames", frames: [word] })),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("message" as const),
      text: fc.constantFrom("large", "large", "next", "async", "room", ...WORDS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("advance" as const),
      ms: fc.constantFrom(50, 1_000, 16_000, 60_000),
    }),
  },
  {
    weight: 8,
    arbitrary: fc
      .constantFrom("slow", "drain", "settle", "suspend", "resume", "active", "flood", "up", "up")
      .map((word) => ({ do: word }) as Step),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("fin", "reset", "exit", "kill", "spawn", "half", "refuse")
      .map((word) => ({ do: word }) as Step),
  },
);

test("whatever happens to a connection, it ends within its limits, and nothing of it is left", async () => {
  await fc.assert(fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 40 }), fc.boolean(), run), {
    numRuns: 300,
  });
});

async function run(all: readonly Step[], endless: boolean): Promise<void> {
  const clock = new ManualClock(0);
  const restore = useClock(clock);
  try {
    await play(all, endless, clock);
  } finally {
    restore();
  }
}

async function play(all: readonly Step[], endless: boolean, clock: ManualClock): Promise<void> {
  const before = processCount();
  const loop = new Loop();
  const plain = new FakeSocket();
  /** The present one. */
  let socket: FakeSocket = plain;
  let secure: FakeSecureSocket | undefined;
  const endpoint = new Endpoint({
    loop,
    startTls: (given, _received, owner) => {
      expect([given, secure]).toEqual([plain, undefined]);
      secure = new FakeSecureSocket(given, owner);
      return secure;
    },
  });
  let settlers: (() => void)[] = [];
  let rooms = 0;
  let settledRooms = 0;
  const signals: AbortSignal[] = [];
  const order: string[] = [];
  const later = () => new Promise<void>((resolve) => settlers.push(resolve));
  const act =
    (conn: Connection, to: "a" | "b") =>
    (content: string): any => {
      if (order.includes("terminate")) order.push("a handler after terminate");
      switch (content) {
        case "echo":
          return conn.send("echo");
        case "large":
          return conn.send("x".repeat(20_000));
        case "later":
          return conn.state === "a" ? postpone : undefined;
        case "next":
          return next(to);
        case "async":
          return later();
        case "async later":
          return later().then(() => (conn.state === "a" ? postpone : undefined));
        case "async next":
          return later().then(() => next(to));
        case "room":
          rooms++;
          void conn.room().then(
            () => settledRooms++,
            () => settledRooms++,
          );
          signals.push(conn.signal);
          return undefined;
        case "passive":
          return conn.setActive(3);
        case "framing":
          try {
            conn.setFraming(conn.framesReceived % 2 === 0 ? packet(2) : packet(2, { maxLength: 60_000 }));
          } catch (error) {
            expect(String(error)).toContain("postponed");
          }
          return undefined;
        case "become":
          return become(conn.label === "books" ? other : books);
        case "async become":
          return later().then(() => become(conn.label === "books" ? other : books));
        case "secure":
          return secure ? undefined : next(to, startTls());
        case "async secure":
          return later().then(() => (secure ? undefined : next(to, startTls())));
        case "stop":
          return stop("done");
        case "throw":
          throw new Error("thrown");
      }
    };
  const state = (to: "a" | "b") => ({
    frame: (conn: any, frame: any) => act(conn, to)(String(frame)),
    message: (conn: any, text: any) => act(conn, to)(text),
    passive: (conn: any) => conn.setActive(2),
    drained: (conn: any) => conn.send("drained"),
    enter: () => void order.push("enter"),
    leave: (conn: any) => {
      order.push("leave");
      conn.send("x".repeat(5_000));
    },
  });
  const made = (name: string): AnyProtocol =>
    defineProtocol({
      name,
      framing: packet(2),
      states: {
        a: state("b") as any,
        b: { ...state("a"), timeout: { after: "90s", do: stop("late") } } as any,
      },
      terminate: () => void order.push("terminate"),
      limits: { handler: 20_000, framesPerTurn: 8, lowWater: 5_000, highWater: 20_000, maxOutbound: 30_000 },
      maxMessages: 50,
      becomes: () => [books, other],
    });
  const books = made("books");
  const other: AnyProtocol = { ...made("other"), active: 3, frames: "borrowed" };
  const conn = new Connection(endpoint, new CompiledProtocol(books), undefined);
  conn.socketReady(socket);
  for (const step of all) {
    one(step);
    await turn(2);
    socket.deliver();
    await turn(1);
  }

  function one(step: Step): void {
    switch (step.do) {
      case "frames":
        socket.received.push(Buffer.concat(step.frames.map(packet2)));
        return socket.deliver();
      case "up":
        if (!secure?.opening) return;
        secure.up();
        if (!secure.opening) socket = secure;
        return;
      case "refuse":
        return secure?.refuse();
      case "half":
        socket.received.push(Buffer.from([0]));
        return socket.deliver();
      case "message":
        return send(conn.pid, step.text);
      case "flood":
        for (let n = 0; n < 200; n++) send(conn.pid, n % 2 ? "later" : "echo");
        return;
      case "advance":
        return void clock.advance(step.ms);
      case "fin":
        socket.fin = true;
        return socket.deliver();
      case "reset":
        return socket.fail();
      case "slow":
        socket.slow = !socket.slow;
        return;
      case "drain":
        return socket.drain();
      case "settle":
        for (const settle of settlers.splice(0)) settle();
        return;
      case "suspend":
        return void sys.suspend(conn.pid).catch(() => {});
      case "resume":
        return void sys.resume(conn.pid).catch(() => {});
      case "exit":
        return exit(conn.pid, { shutdown: "told" });
      case "kill":
        return exit(conn.pid, "kill");
      case "spawn":
        return conn.spawn(async (signal) => {
          signals.push(signal);
          await later();
        });
      case "active":
        return conn.setActive(true);
    }
  }

  // The client goes: whatever the connection waits for, its own limits end it.
  void sys.resume(conn.pid).catch(() => {});
  if (endless) settlers = [];
  else for (const settle of settlers.splice(0)) settle();
  socket.fin = true;
  for (let n = 0; n < 400 && conn.alive; n++) {
    socket.slow = false;
    socket.drain();
    socket.deliver();
    await clock.advance(1_000);
    await turn(2);
  }
  const stuck = { state: conn.state, busy: conn.busy, ...conn.inspect() };
  expect(conn.alive ? stuck : "ended").toBe("ended");
  // Requests to suspend and resume it, and the last round of the timer wheel.
  await clock.advance(10_000);
  await turn(3);
  const { counters } = endpoint;
  const closed = Object.values(counters.closed).reduce((sum, count) => sum + count, 0);
  expect([counters.accepted, counters.active, closed]).toEqual([1, 0, 1]);
  expect([counters.outbound, loop.waitingOutput.bytes, loop.timerWheel.size, clock.pending]).toEqual([
    0, 0, 0, 0,
  ]);
  expect(settledRooms).toBe(rooms);
  expect(signals.every(({ aborted }) => aborted)).toBe(true);
  expect([plain.closed, secure?.closed ?? true]).toEqual([true, true]);
  expect(processCount()).toBe(before);
  const ends = order.filter((word) => word === "terminate").length;
  expect(ends).toBeLessThanOrEqual(1);
  if (ends === 1) expect(order.slice(-2)).toEqual(["leave", "terminate"]);
}
