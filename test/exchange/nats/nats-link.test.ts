/** The link to NATS, over a connection that answers when the test says so. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { NatsConnection } from "../../../src/exchange/nats/client.js";
import { NatsLink } from "../../../src/exchange/nats/nats-link.js";
import { Subjects } from "../../../src/exchange/nats/subjects.js";
import { ManualClock, settle, useClock } from "../../../src/otp/time/clock.js";

type Callback = (error: Error | null, message: { data: Uint8Array; subject: string }) => void;

class FakeConnection {
  readonly info = { max_payload: 1_048_576 };
  readonly published: { subject: string; data: Buffer; reply: string | undefined }[] = [];
  readonly subscriptions = new Map<string, Callback>();
  /** PONGs that have not been sent. */
  readonly pongs: (() => void)[] = [];
  answers = true;
  closes = 0;
  close_: (error?: Error) => void = () => {};
  readonly #closed = new Promise<Error | void>((resolve) => {
    this.close_ = resolve as (error?: Error) => void;
  });

  publish(subject: string, data: Buffer, options?: { reply: string }): void {
    this.published.push({ subject, data, reply: options?.reply });
  }
  subscribe(subject: string, { callback }: { callback: Callback }): void {
    this.subscriptions.set(subject, callback);
  }
  flush(): Promise<void> {
    if (this.answers) return Promise.resolve();
    return new Promise((resolve) => void this.pongs.push(resolve));
  }
  closed(): Promise<Error | void> {
    return this.#closed;
  }
  async close(): Promise<void> {
    this.closes++;
  }
  async *status(): AsyncGenerator<never> {}
}

let clock: ManualClock;
let restore: () => void;
beforeEach(() => {
  clock = new ManualClock(1_000);
  restore = useClock(clock);
});
afterEach(() => restore());

const KIB_64 = Buffer.alloc(65_536);

async function linkTo(connection: FakeConnection) {
  const seen = {
    bytes: [] as string[],
    gone: [] as string[],
    writable: 0,
    troubles: [] as string[],
    failures: [] as string[],
    ends: [] as string[],
    throws: false,
    resets: 0,
  };
  const connected = { connection: connection as unknown as NatsConnection, reset: () => void seen.resets++ };
  const link = new NatsLink(connected, "me", new Subjects("prod"), {
    onBytes: (bytes) => {
      if (seen.throws) throw new Error("in the handler");
      seen.bytes.push(bytes.toString());
    },
    onNoResponder: (inbox) => void seen.gone.push(inbox),
    onWritable: () => void seen.writable++,
    onTrouble: (error) => void seen.troubles.push((error as Error).message),
    onFailure: (error) => void seen.failures.push((error as Error).message),
    onEnd: (error) => void seen.ends.push(`${(error as Error | undefined)?.message}`),
  });
  await link.start();
  return { link, seen };
}

it("receives its inbox, messages to all, and which inbox has no subscriber", async () => {
  const connection = new FakeConnection();
  const { link, seen } = await linkTo(connection);
  expect([...connection.subscriptions.keys()]).toEqual([
    "drover.prod.node.me",
    "drover.prod.all",
    "drover.prod.node.me.gone.*",
  ]);
  const data = Buffer.from("hi");
  for (const [subject, got] of connection.subscriptions)
    got(null, { data, subject: subject.replace("*", "you") });
  expect([seen.bytes, seen.gone]).toEqual([["hi", "hi"], ["you"]]);
  link.send("you", data);
  link.probe("you", data);
  link.toAll(data);
  expect(connection.published.map(({ subject, reply, data }) => [subject, reply, `${data}`])).toEqual([
    ["drover.prod.node.you", undefined, "hi"],
    ["drover.prod.node.you", "drover.prod.node.me.gone.you", "hi"],
    ["drover.prod.all", undefined, "hi"],
  ]);
  link.end(undefined);
  expect(clock.pending).toBe(0);
});

it("has at most 4 MiB under way between two PONGs, but takes probes", async () => {
  const connection = new FakeConnection();
  const { link, seen } = await linkTo(connection);
  connection.answers = false;
  let taken = 0;
  while (link.send("you", KIB_64)) taken++;
  expect(taken).toBe(64);
  expect(link.probe("you", Buffer.from("x"))).toBe(true);
  // One PING each 256 KiB.
  expect(connection.pongs.length).toBe(16);
  connection.pongs.shift()?.();
  await settle();
  expect(seen.writable).toBe(0);
  for (const pong of connection.pongs.splice(0, 8)) pong();
  await settle();
  expect(seen.writable).toBe(1);
  expect(link.send("you", KIB_64)).toBe(true);
  link.end(undefined);
});

it("ends when a PONG is 1.5 s late, though nothing is said", async () => {
  const connection = new FakeConnection();
  const { seen } = await linkTo(connection);
  await clock.advance(10_000);
  expect(seen.ends).toEqual([]);
  connection.answers = false;
  await clock.advance(1_500);
  expect(seen.ends).toEqual([]);
  await clock.advance(500);
  expect(seen.ends).toEqual(["no answer to a PING for 1.5 s"]);
  // What is in its socket would leave when the cable is back, and pass for a sign of life.
  expect(seen.resets).toBe(1);
  expect(connection.closes).toBe(1);
});

it("does not blame the server for a time in which this OS process stood still", async () => {
  const connection = new FakeConnection();
  let now = 0;
  let look = () => {};
  const setTimeout = (callback: () => void) => {
    look = callback;
  };
  const back = useClock({ now: () => now, setTimeout, clearTimeout: () => {} });
  const { link, seen } = await linkTo(connection);
  connection.answers = false;
  now += 250;
  look();
  now += 8_000;
  look();
  expect(seen.ends).toEqual([]);
  for (let looks = 0; looks < 7; looks++) {
    now += 250;
    look();
  }
  expect(seen.ends).toEqual(["no answer to a PING for 1.5 s"]);
  link.end(undefined);
  back();
});

it("catches what a handler throws: the client's reader would end", async () => {
  const connection = new FakeConnection();
  const { link, seen } = await linkTo(connection);
  seen.throws = true;
  connection.subscriptions.get("drover.prod.all")?.(null, { data: Buffer.from("x"), subject: "" });
  expect([seen.failures, seen.ends]).toEqual([["in the handler"], []]);
  link.end(undefined);
});

it("ends once, when the client says that it is closed", async () => {
  const connection = new FakeConnection();
  const { link, seen } = await linkTo(connection);
  connection.close_(new Error("Slow Consumer"));
  await settle();
  link.end(new Error("later"));
  expect(seen.resets).toBe(0);
  expect(seen.ends).toEqual(["Slow Consumer"]);
  expect([link.send("you", KIB_64), link.toAll(KIB_64)]).toEqual([false, false]);
  expect(connection.published).toEqual([]);
});

it("does not start where its inbox is denied", async () => {
  const connection = new FakeConnection();
  connection.answers = false;
  const starting = linkTo(connection);
  connection.subscriptions.get("drover.prod.all")?.(new Error("denied"), { data: KIB_64, subject: "" });
  for (const pong of connection.pongs) pong();
  await expect(starting).rejects.toThrow("denied");
});

it("loses what the server would not take, and says so", async () => {
  const connection = new FakeConnection();
  connection.info.max_payload = 4_096;
  const { link, seen } = await linkTo(connection);
  expect(link.send("you", Buffer.alloc(4_097))).toBe(true);
  expect(connection.published).toEqual([]);
  expect(seen.troubles).toEqual(["4097 bytes are more than its max_payload allows"]);
  link.end(undefined);
});
