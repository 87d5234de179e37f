/** Records that are forged are passed over and counted; an error of ours is none of them, and goes up. */
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { Exchange } from "../../src/exchange/exchange.js";
import { writeHello } from "../../src/exchange/records/connect-records.js";
import { KIND, RecordWriter } from "../../src/exchange/records/records.js";
import { writeSignal } from "../../src/exchange/records/signal-records.js";
import { ExchangeLink } from "../../src/exchange/worker-link/exchange-link.js";
import { Delivery } from "../../src/groups/local/delivery.js";
import { LocalAsks } from "../../src/groups/local/local-asks.js";
import { LocalMembers } from "../../src/groups/local/local-members.js";
import { LocalNames } from "../../src/groups/local/local-names.js";
import { groupCounters } from "../../src/tcp/observe/group-counters.js";
import type { ListenOptions, Socket, Transport } from "../../src/transport/transport.js";
import { FakeSocket } from "../support/fake-socket.js";
import { turn, until } from "../support/until.js";

/** Both ends of every link are played by the test. */
function played(): { readonly transport: Transport; accept(): FakeSocket; readonly connected: FakeSocket[] } {
  const connected: FakeSocket[] = [];
  let onSocket = (_: Socket): void => {};
  const transport = {
    name: "handle",
    connect: async () => {
      connected.push(new FakeSocket());
      return connected.at(-1);
    },
    listen: async (_: unknown, options: ListenOptions) => {
      onSocket = options.onSocket;
      return { close: () => {} };
    },
  } as unknown as Transport;
  const accept = () => {
    const socket = new FakeSocket();
    onSocket(socket);
    return socket;
  };
  return { transport, accept, connected };
}

const bytesOf = (write: (writer: RecordWriter) => void): Buffer => {
  const writer = new RecordWriter();
  write(writer);
  return writer.take();
};

/** An exchange, and the socket of its worker 1. */
async function exchangeWithWorker() {
  const { transport, accept } = played();
  const exchange = new Exchange({ path: "/nowhere/x.sock", transport, workers: 0 });
  await exchange.listen();
  onTestFinished(() => exchange.close());
  const socket = accept();
  const send = (write: (writer: RecordWriter) => void) => socket.owner?.onChunk(bytesOf(write));
  send((writer) => writeHello(writer, 1, 0));
  expect(exchange.numbers.links).toBe(1);
  return { exchange, socket, send };
}

function zeros(writer: RecordWriter, kind: number, name: string, length: number): number {
  const at = writer.add(kind, name, length);
  writer.buffer.fill(0, at, at + length);
  return at;
}

/** A worker whose exchange is played by the test. */
async function linkedWorker() {
  const { transport, connected } = played();
  const signals: unknown[] = [];
  let onSignal = (signal: unknown): void => void signals.push(signal);
  const members: LocalMembers = new LocalMembers(() => link);
  const link: ExchangeLink = new ExchangeLink({
    ...{ path: "/nowhere/x.sock", transport, worker: 1, members, asks: new LocalAsks() },
    delivery: new Delivery(members, () => {}),
    names: new LocalNames(() => link),
    onSignal: (signal) => onSignal(signal),
    onRelieved: () => {},
  });
  onTestFinished(() => link.close());
  await until(() => connected.length === 1 && link.up);
  const [socket] = connected as [FakeSocket];
  return {
    signals,
    socket,
    send: (write: (writer: RecordWriter) => void) => socket.owner?.onChunk(bytesOf(write)),
    failOnSignals: () => {
      onSignal = () => {
        throw new TypeError("ours");
      };
    },
  };
}

const signal = (writer: RecordWriter) =>
  writeSignal(writer, { to: [1, 2], kind: "send", pids: false, payload: Buffer.from("x") });

test("the exchange counts a record that is cut, and an error of ours goes up and ends the link", async () => {
  const { exchange, socket, send } = await exchangeWithWorker();
  send((writer) => zeros(writer, KIND.join, "g", 7));
  expect([exchange.numbers.malformed, socket.closed]).toEqual([1, false]);
  vi.spyOn(exchange.hub, "join").mockImplementation(() => {
    throw new TypeError("ours");
  });
  expect(() => send((writer) => zeros(writer, KIND.join, "g", 8))).toThrow("ours");
  expect([exchange.numbers.malformed, socket.closed]).toEqual([1, true]);
});

test("a worker counts a record that is cut and takes the next one; an error of ours goes up and ends the link", async () => {
  const { socket, send, signals, failOnSignals } = await linkedWorker();
  const before = groupCounters.malformed;
  send((writer) => {
    zeros(writer, KIND.request, "n", 17);
    zeros(writer, KIND.signal, "", 11);
    zeros(writer, KIND.publish, "g", 10);
    signal(writer);
  });
  expect([groupCounters.malformed - before, signals.length, socket.closed]).toEqual([3, 1, false]);
  failOnSignals();
  expect(() => send(signal)).toThrow("ours");
  expect([groupCounters.malformed - before, socket.closed]).toEqual([3, true]);
});

const odd = fc.constantFrom<unknown>(null, true, 5, -1, "g", "", [], ["g"], {}, undefined);
const json = fc.oneof(odd, fc.array(odd, { maxLength: 3 })).map((value) => JSON.stringify(value ?? null));
/** Bodies of any bytes, and of those that records have: an id and JSON, numbers, a message behind them. */
const body = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.tuple(fc.nat(5), json).map(([id, text]) => Buffer.from(`\0\0\0${String.fromCharCode(id)}${text}`)),
  json.map((text) => Buffer.from(text)),
  fc
    .record({
      ask: fc.constantFrom("ready", "count", "members", "presence", "groups", "whereis", "names", "other"),
      ...Object.fromEntries(["group", "name", "prefix", "limit"].map((field) => [field, odd])),
    })
    .map((query) => Buffer.from(`\0\0\0\x01${JSON.stringify(query)}`)),
  fc
    .tuple(
      fc.array(fc.oneof(fc.nat(9), fc.double()), { maxLength: 4 }),
      fc.nat(3),
      fc.uint8Array({ maxLength: 9 }),
    )
    .map(([numbers, shift, rest]) => {
      const doubles = Buffer.alloc(shift + 8 * numbers.length);
      numbers.forEach((number, at) => void doubles.writeDoubleBE(number, shift + 8 * at));
      return Buffer.concat([doubles, rest]);
    }),
);
const record = fc.tuple(
  fc.oneof(fc.constantFrom(...Object.values(KIND)), fc.nat(255)),
  fc.oneof(fc.constantFrom("g", "n", ""), fc.string({ maxLength: 300 })),
  body,
);
const put = (writer: RecordWriter, [kind, name, bytes]: [number, string, Buffer]) =>
  void writer.buffer.set(bytes, writer.add(kind, name, bytes.length));

test("whatever a worker sends, the exchange throws nothing and keeps the link", async () => {
  const { exchange, socket, send } = await exchangeWithWorker();
  fc.assert(
    fc.property(record, (one) => {
      send((writer) => put(writer, one));
      expect(socket.closed).toBe(false);
    }),
    { numRuns: 500 },
  );
  expect(exchange.numbers.malformed).toBeGreaterThan(100);
  // What waits for the next microtask or turn was reached as well.
  await turn(5);
});

test("whatever the exchange passes on, a worker throws nothing and keeps the link", async () => {
  const { socket, send } = await linkedWorker();
  const before = groupCounters.malformed;
  fc.assert(
    fc.property(record, (one) => {
      send((writer) => put(writer, one));
      expect(socket.closed).toBe(false);
    }),
    { numRuns: 500 },
  );
  expect(groupCounters.malformed - before).toBeGreaterThan(100);
  await turn(5);
});
