/** The exchange and the links of several workers, over a real UNIX socket within this OS process. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { Exchange, type ExchangeParts } from "../../src/exchange/exchange.js";
import { Nodes } from "../../src/exchange/nodes/nodes.js";
import { presenceTable } from "../../src/exchange/nodes/rows/presence-rows.js";
import { groupTable, nameTable } from "../../src/exchange/nodes/rows/row-table.js";
import { writeHello } from "../../src/exchange/records/connect-records.js";
import { readAnswer, writeAnswer } from "../../src/exchange/records/name-records.js";
import { writePublish } from "../../src/exchange/records/publish-records.js";
import { RecordReader } from "../../src/exchange/records/record-reader.js";
import { KIND, RecordWriter } from "../../src/exchange/records/records.js";
import type { LinkSignal } from "../../src/exchange/records/signal-records.js";
import { ExchangeLink } from "../../src/exchange/worker-link/exchange-link.js";
import { Delivery } from "../../src/groups/local/delivery.js";
import { LocalAsks } from "../../src/groups/local/local-asks.js";
import { LocalMembers } from "../../src/groups/local/local-members.js";
import { LocalNames } from "../../src/groups/local/local-names.js";
import { Message } from "../../src/groups/message.js";
import type { Request } from "../../src/groups/request.js";
import { Pid } from "../../src/otp/process/pid.js";
import { Process } from "../../src/otp/process/process.js";
import { groupCounters } from "../../src/tcp/observe/group-counters.js";
import { handle } from "../../src/transport/handle/handle.js";
import { stream } from "../../src/transport/stream/stream.js";
import { eventually, turn, until } from "../support/until.js";
import { MemoryCarrier, MemoryNetwork } from "./nodes/memory-carrier.js";

class Listener extends Process {
  readonly label = "listener";
  readonly got: unknown[] = [];
  protected receive(message: unknown): void {
    this.got.push(message);
  }
  end(): void {
    this.exitWith("normal");
  }
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "drover-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return join(path, "x.sock");
}

async function exchangeAt(path: string, workers = 0, transport = handle): Promise<Exchange> {
  const exchange = new Exchange({ path, transport, workers });
  await exchange.listen();
  onTestFinished(() => exchange.close());
  return exchange;
}

/** A worker: its own tables, delivery and link. */
class FakeWorker {
  readonly members: LocalMembers = new LocalMembers(() => this.link);
  readonly delivery: Delivery = new Delivery(this.members, () => this.link.relieved());
  readonly names: LocalNames = new LocalNames(() => this.link);
  readonly asks = new LocalAsks();
  readonly signals: LinkSignal[] = [];
  readonly link: ExchangeLink;
  constructor(path: string, worker: number, transport = handle) {
    this.link = new ExchangeLink({
      ...{
        path,
        transport,
        worker,
        members: this.members,
        delivery: this.delivery,
        names: this.names,
        asks: this.asks,
      },
      onSignal: (signal) => void this.signals.push(signal),
      onRelieved: () => {},
    });
    onTestFinished(() => this.link.close());
  }
  member(...groups: string[]): Listener {
    const one = new Listener(undefined);
    for (const group of groups) this.members.join(one, group, "miss");
    return one;
  }
  send(group: string, text: string): void {
    this.link.publish(group, Message.of(text), undefined);
  }
}

async function workersAt(path: string, count = 2, transport = handle): Promise<FakeWorker[]> {
  const workers = Array.from({ length: count }, (_, at) => new FakeWorker(path, at + 1, transport));
  await Promise.all(workers.map(({ link }) => link.ready(5_000)));
  return workers;
}

test.each([handle, stream])(
  "members of all workers get a message, in one order, and count and members are exact: $name",
  async (transport) => {
    const path = folder();
    const exchange = await exchangeAt(path, 0, transport);
    const [one, two] = (await workersAt(path, 2, transport)) as [FakeWorker, FakeWorker];
    const members = [one.member("g"), one.member("g", "h"), two.member("g")];
    expect(await one.link.query({ ask: "count", group: "g" })).toBe(2);
    expect(await two.link.query({ ask: "count", group: "g" })).toBe(3);
    for (let at = 0; at < 50; at++) {
      one.send("g", `1-${at}`);
      two.send("g", `2-${at}`);
      if (at % 7 === 0) await turn();
    }
    await until(() => members.every(({ got }) => got.length === 100));
    for (const { got } of members) expect(got).toEqual(members[0]?.got);
    const own = members[0]?.got.filter((text) => String(text).startsWith("1-"));
    expect(own).toEqual(Array.from({ length: 50 }, (_, at) => `1-${at}`));
    two.send("h", "only one");
    await until(() => members[1]?.got.length === 101);
    const pairs = [
      [1, members[0]?.pid.serial],
      [1, members[1]?.pid.serial],
      [2, members[2]?.pid.serial],
    ];
    expect(await two.link.query({ ask: "members", group: "g" })).toEqual(pairs);
    members[1]?.end();
    expect(await one.link.query({ ask: "count", group: "h" })).toBe(0);
    expect(exchange.numbers).toMatchObject({
      links: 2,
      groups: 1,
      memberships: 2,
      published: 101,
      malformed: 0,
    });
  },
);

test.each([handle, stream])(
  "messages of 1 to 60,000 bytes, 4 MiB of them in one turn, arrive whole and in order: $name",
  async (transport) => {
    const path = folder();
    await exchangeAt(path, 0, transport);
    const [one, two] = (await workersAt(path, 2, transport)) as [FakeWorker, FakeWorker];
    const members = [one.member("large"), two.member("large")];
    await one.link.query({ ask: "count", group: "large" });
    expect(await two.link.query({ ask: "count", group: "large" })).toBe(2);
    const sent = Array.from({ length: 140 }, (_, at) => `${at}`.padEnd(1 + ((at * 7_919) % 60_000), "x"));
    for (const text of sent) one.send("large", text);
    await until(() => members.every(({ got }) => got.length === sent.length));
    for (const { got } of members) expect(got.every((text, at) => text === sent[at])).toBe(true);
  },
);

test("a worker that is gone takes its members along", async () => {
  const path = folder();
  const exchange = await exchangeAt(path);
  const [one, two] = (await workersAt(path)) as [FakeWorker, FakeWorker];
  one.member("g");
  two.member("g");
  expect(await one.link.query({ ask: "count", group: "g" })).toBe(1);
  expect(await two.link.query({ ask: "count", group: "g" })).toBe(2);
  two.link.close();
  await until(() => exchange.numbers.links === 1);
  expect(await one.link.query({ ask: "count", group: "g" })).toBe(1);
});

test("the exchange is killed and started again: rows come back, and what was sent meanwhile arrives once", async () => {
  const path = folder();
  const first = await exchangeAt(path);
  const [one, two] = (await workersAt(path)) as [FakeWorker, FakeWorker];
  const [a, b] = [one.member("g"), two.member("g")];
  expect(await two.link.query({ ask: "count", group: "g" })).toBe(2);
  one.send("g", "before");
  await until(() => b.got.length === 1);
  first.close();
  await until(() => !one.link.up && !two.link.up);
  one.send("g", "meanwhile");
  const c = two.member("g");
  b.end();
  const counted = one.link.query({ ask: "count", group: "g" });
  await exchangeAt(path, 2);
  expect(await counted).toBe(2);
  await until(() => a.got.length === 2 && c.got.length === 1);
  expect([a.got, c.got]).toEqual([["before", "meanwhile"], ["meanwhile"]]);
});

test("without an exchange messages are kept for 1 s and up to 1 MiB; the rest is counted", async () => {
  const path = folder();
  const worker = new FakeWorker(path, 1);
  const member = worker.member("g");
  const before = groupCounters.dropped.unreachable;
  const large = "x".repeat(60_000);
  for (let at = 0; at < 20; at++) worker.send("g", large);
  expect(groupCounters.dropped.unreachable - before).toBe(3);
  await exchangeAt(path);
  await until(() => member.got.length === 17);
});

test("messages to processes of other workers pass it; for one that is gone they are counted", async () => {
  const path = folder();
  const exchange = await exchangeAt(path);
  const [one, two] = (await workersAt(path)) as [FakeWorker, FakeWorker];
  const signal = { to: [2, 5_000_000_001], kind: "cast", payload: Buffer.from("x"), pids: true } as const;
  expect(one.link.signal(signal)).toBe(true);
  await until(() => two.signals.length === 1);
  expect(two.signals).toEqual([signal]);
  one.link.signal({ ...signal, to: [9, 4] });
  await until(() => exchange.numbers.signalsDropped === 1);
});

test("a worker that does not read costs 8 MiB; its messages are counted, also at its end, and the others get theirs", async () => {
  const path = folder();
  const exchange = await exchangeAt(path);
  const [one] = (await workersAt(path, 1)) as [FakeWorker];
  const good = one.member("g");
  // Says that it is worker 2 with two members, and reads nothing.
  const stopped = connect({ path });
  onTestFinished(() => void stopped.destroy());
  stopped.pause();
  const writer = new RecordWriter();
  writeHello(writer, 2, 0);
  for (const serial of [7, 8]) writer.addSerial(KIND.join, "g", serial);
  stopped.write(writer.take());
  await eventually(async () => (await one.link.query({ ask: "count", group: "g" })) === 3);
  const text = "x".repeat(50_000);
  for (let at = 0; at < 300; at++) {
    one.send("g", text);
    if (at % 10 === 9) await until(() => good.got.length === at + 1);
  }
  const { linkFull } = exchange.numbers;
  expect(linkFull).toBeGreaterThan(2 * 50);
  expect(linkFull % 2).toBe(0);
  expect(good.got).toHaveLength(300);
  stopped.destroy();
  await until(() => exchange.numbers.workerDown > 0);
  // What waited for it: not what the kernel had taken.
  const { workerDown } = exchange.numbers;
  expect(workerDown).toBeGreaterThan(2 * 50);
  expect(workerDown % 2).toBe(0);
  expect(linkFull + workerDown).toBeLessThanOrEqual(2 * 300);
});

test("what is no record, or not understood, harms nothing", async () => {
  const path = folder();
  const exchange = await exchangeAt(path);
  const [one] = (await workersAt(path, 1)) as [FakeWorker];
  const member = one.member("g");
  const hostile = (bytes: Buffer) => {
    const socket = connect({ path });
    socket.on("error", () => {});
    socket.write(bytes);
    onTestFinished(() => void socket.destroy());
  };
  const records = (...kinds: number[]) => {
    const writer = new RecordWriter();
    for (const kind of kinds) writer.add(kind, "g", 0);
    return writer.take();
  };
  hostile(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
  hostile(records(KIND.publish));
  const known = new RecordWriter();
  writeHello(known, 3, 0);
  known.add(200, "unknown", 0);
  // A token that is no number.
  known.buffer.writeDoubleBE(Number.NaN, known.add(KIND.held, "n", 16) + 8);
  for (const kind of [KIND.join, KIND.publish, KIND.query]) known.add(kind, "g", 1);
  hostile(known.take());
  await until(() => exchange.numbers.malformed === 5);
  one.send("g", "still here");
  await until(() => member.got.length === 1);
});

test("the process that a message excepts does not get it, in its own worker or another, and the others do", async () => {
  const path = folder();
  await exchangeAt(path);
  const [one, two] = (await workersAt(path)) as [FakeWorker, FakeWorker];
  const members = [one.member("g"), one.member("g"), two.member("g")];
  await one.link.query({ ask: "count", group: "g" });
  expect(await two.link.query({ ask: "count", group: "g" })).toBe(3);
  const workers = [1, 1, 2];
  const names = ["a", "b", "c"];
  // In one turn: they pass the exchange together.
  members.forEach(({ pid }, at) => {
    one.link.publish("g", Message.of(names[at] as string), new Pid(workers[at] as number, pid.serial));
  });
  one.send("g", "all");
  await until(() => members.every(({ got }) => got.length === 3));
  expect(members.map(({ got }) => got.join())).toEqual(["b,c,all", "a,c,all", "a,b,all"]);
});

test("a publish without a message is passed over and counted, and those around it arrive", async () => {
  const path = folder();
  const exchange = await exchangeAt(path);
  const [one] = (await workersAt(path, 1)) as [FakeWorker];
  const member = one.member("g");
  await one.link.query({ ask: "count", group: "g" });
  const writer = new RecordWriter();
  writeHello(writer, 2, 0);
  for (const text of ["1", "2", "", "3"])
    if (text === "") writer.add(KIND.publish, "g", 10);
    else writePublish(writer, "g", Message.of(text), [0, 0]);
  const socket = connect({ path });
  onTestFinished(() => void socket.destroy());
  socket.write(writer.take());
  await until(() => member.got.length === 3);
  expect(member.got).toEqual(["1", "2", "3"]);
  expect(exchange.numbers).toMatchObject({ published: 3, malformed: 1 });
});

/** A process that answers requests. */
class Answerer extends Process {
  readonly label = "answerer";
  protected receive(request: unknown): void {
    const { body, reply } = request as { body: string; reply(answer: string): void };
    if (body !== "silence") reply.call(request, `re: ${body}`);
  }
  end(): void {
    this.exitWith("normal");
  }
}

const MESSAGE = (text: string) => Message.of(text);
const ask = ({ asks, link }: FakeWorker, name: string, text: string, within = 5_000) =>
  asks.ask(name, within, (id) => link.ask(id, name, MESSAGE(text), within, [0, 0]));

test("a name is held by one process of all workers, asked from any, and free with its end", async () => {
  const path = folder();
  const exchange = await exchangeAt(path);
  const [one, two] = (await workersAt(path)) as [FakeWorker, FakeWorker];
  const [a, b] = [new Answerer(undefined), new Answerer(undefined)];
  const first = await one.names.claim(a, "n", false, 5_000);
  expect(first.previous).toBe("none");
  expect(await ask(two, "n", "hello")).toBe("re: hello");
  await expect(two.names.claim(b, "n", true, 5_000)).rejects.toMatchObject({ code: "taken" });
  const second = await two.names.claim(b, "n", false, 5_000);
  expect(second.previous).toBe("ended");
  expect(second.token).toBeGreaterThan(first.token);
  expect(one.names.size).toBe(0);
  const row = { name: "n", pid: [2, b.pid.serial], token: second.token };
  expect(await one.link.query({ ask: "whereis", name: "n" })).toEqual(row);
  expect(await one.link.query({ ask: "names", prefix: "", limit: 5 })).toEqual({ names: [row], total: 1 });
  const lost = ask(one, "n", "silence");
  await turn(20);
  b.end();
  await expect(lost).rejects.toMatchObject({ code: "ended" });
  await expect(ask(one, "n", "x")).rejects.toMatchObject({ code: "nobody" });
  expect(exchange.numbers).toMatchObject({ names: 0, replaced: 1 });
});

test("names and tokens outlive the exchange; claims and new asks wait for it, asks under way are unreachable", async () => {
  const path = folder();
  const first = await exchangeAt(path);
  const [one, two] = (await workersAt(path)) as [FakeWorker, FakeWorker];
  const [a, b] = [new Answerer(undefined), new Answerer(undefined)];
  const { token } = await one.names.claim(a, "n", false, 5_000);
  const underWay = ask(two, "n", "silence");
  await turn(20);
  first.close();
  await expect(underWay).rejects.toMatchObject({ code: "unreachable" });
  await until(() => !one.link.up && !two.link.up);
  const claim = two.names.claim(b, "m", false, 5_000);
  const asked = ask(two, "n", "hello");
  await exchangeAt(path, 2);
  expect(await asked).toBe("re: hello");
  expect((await claim).token).toBeGreaterThan(token);
  expect(await two.link.query({ ask: "whereis", name: "n" })).toMatchObject({ token });
});

test("after a restart of the exchange no token is below one that was given out, though the wall clock went back and the name was free", async () => {
  const path = folder();
  const first = await exchangeAt(path);
  const [one, two] = (await workersAt(path)) as [FakeWorker, FakeWorker];
  const { token } = await one.names.claim(new Answerer(undefined), "n", false, 5_000);
  const other = new Answerer(undefined);
  const { token: later } = await one.names.claim(other, "m", false, 5_000);
  expect(later).toBeGreaterThan(token);
  other.end();
  first.close();
  await until(() => !one.link.up && !two.link.up);
  const hourAgo = Date.now() - 3_600_000;
  vi.spyOn(Date, "now").mockReturnValue(hourAgo);
  onTestFinished(() => void vi.restoreAllMocks());
  await exchangeAt(path, 2);
  const again = await two.names.claim(new Answerer(undefined), "m", false, 5_000);
  expect(again.token).toBeGreaterThan(later);
});

test("the worker of a name is gone: the ask has ended, the name is free", async () => {
  const path = folder();
  await exchangeAt(path);
  const [one, two] = (await workersAt(path)) as [FakeWorker, FakeWorker];
  await two.names.claim(new Answerer(undefined), "n", false, 5_000);
  const asked = ask(one, "n", "silence");
  await turn(20);
  two.link.close();
  await expect(asked).rejects.toMatchObject({ code: "ended" });
  await expect(ask(one, "n", "x")).rejects.toMatchObject({ code: "nobody" });
});

test("an ask whose time is over before the link is up is not sent", async () => {
  const path = folder();
  const worker = new FakeWorker(path, 1);
  const asked: unknown[] = [];
  class Noting extends Answerer {
    protected override receive(request: unknown): void {
      asked.push((request as { body: unknown }).body);
      super.receive(request);
    }
  }
  const claim = worker.names.claim(new Noting(undefined), "n", false, 5_000);
  await expect(ask(worker, "n", "early", 20)).rejects.toMatchObject({ code: "timeout" });
  const late = claim.then(() => ask(worker, "n", "late"));
  await exchangeAt(path);
  expect(await late).toBe("re: late");
  expect(asked).toEqual(["late"]);
});

test("while there is no exchange 1 MiB of asks waits for it, and more are refused; those whose time is over take no room", async () => {
  const path = folder();
  const worker = new FakeWorker(path, 1);
  const claim = worker.names.claim(new Answerer(undefined), "n", false, 30_000);
  const large = "x".repeat(60_000);
  const many = (within: number) =>
    Promise.all(Array.from({ length: 20 }, () => ask(worker, "n", large, within).catch(({ code }) => code)));
  const codes = [...Array(17).fill("timeout"), ...Array(3).fill("busy")];
  expect(await many(10)).toEqual(codes);
  const answers = claim.then(() => many(10_000));
  const waiting = many(30_000);
  await exchangeAt(path);
  expect((await waiting).map((answer) => String(answer).length)).toEqual([
    ...Array(17).fill(60_004),
    4,
    4,
    4,
  ]);
  expect(await answers).toEqual(Array(20).fill(`re: ${large}`));
});

test("a request and an answer that are no messages are refused, and the links of both workers stay", async () => {
  const path = folder();
  const exchange = await exchangeAt(path);
  const [one, two] = (await workersAt(path)) as [FakeWorker, FakeWorker];
  await one.names.claim(new Answerer(undefined), "n", false, 5_000);
  const socket = connect({ path });
  onTestFinished(() => void socket.destroy());
  const writer = new RecordWriter();
  writeHello(writer, 3, 0);
  // Too short.
  writer.addSerial(KIND.claim, "forged", 0);
  const claim = writer.add(KIND.claim, "forged", 13);
  writer.buffer.writeUInt32BE(1, claim);
  writer.buffer.writeDoubleBE(9, claim + 4);
  writer.buffer[claim + 12] = 0;
  for (const id of [1, 2]) {
    const at = writer.add(KIND.ask, "n", 18 + (id - 1));
    writer.buffer.fill(0, at, at + 18);
    writer.buffer.writeUInt32BE(id, at);
    if (id === 2) writer.buffer[at + 18] = 3;
  }
  socket.write(writer.take());
  const got: string[] = [];
  const reader = new RecordReader();
  socket.on("data", (bytes) => {
    reader.push(bytes);
    for (let record = reader.next(); record; record = reader.next()) {
      if (record.kind === KIND.answered) got.push(`${readAnswer(record.body).code}`);
      if (record.kind !== KIND.request) continue;
      const answer = new RecordWriter();
      writeAnswer(answer, KIND.answer, record.body.readUInt32BE(0), "answer", Buffer.from([3]));
      socket.write(answer.take());
    }
    reader.keep();
  });
  await until(() => got.length === 2);
  expect(got).toEqual(["refused", "refused"]);
  await expect(ask(two, "forged", "x")).rejects.toMatchObject({ code: "refused" });
  expect(await ask(two, "n", "hello")).toBe("re: hello");
  expect(exchange.numbers).toMatchObject({ links: 3, malformed: 1 });
});

test("forged rows, which other servers could not be told, are passed over and counted", async () => {
  const path = folder();
  const parts: ExchangeParts[] = [];
  const make = (given: ExchangeParts) => {
    parts.push(given);
    const { hub, names } = given;
    const tables = [groupTable(hub), nameTable(names), presenceTable(hub)];
    const carrier = new MemoryCarrier(new MemoryNetwork());
    const own = { carrier, tables, onEvent: () => {}, onRefused: () => {} };
    return new Nodes({ node: "a", startedAt: 1, nodeTimeout: 4_000 }, { ...given, ...own });
  };
  const exchange = new Exchange({ path, transport: handle, workers: 0, node: "a", nodes: make });
  await exchange.listen();
  onTestFinished(() => exchange.close());
  const writer = new RecordWriter();
  writeHello(writer, 3, 0);
  const rows = [
    ["g", 5],
    ["g", Number.NaN],
    ["h", 1e21],
    ["i", -1],
    ["a\nb", 5],
    ["", 5],
    ["x".repeat(256), 5],
  ] as const;
  for (const [name, serial] of rows) {
    writer.addSerial(KIND.row, name, serial);
    const at = writer.add(KIND.introduce, name, 8 + 2 + 1 + 4);
    writer.buffer.writeDoubleBE(serial, at);
    writer.buffer.writeUInt16BE(1, at + 8);
    writer.buffer.write("knull", at + 10);
    const held = writer.add(KIND.held, name, 16);
    writer.buffer.writeDoubleBE(serial, held);
    writer.buffer.writeDoubleBE(1, held + 8);
  }
  const socket = connect({ path });
  onTestFinished(() => void socket.destroy());
  socket.write(writer.take());
  // Of the last three, what they say of themselves has no group, and no effect.
  await until(() => exchange.numbers.malformed === 3 * 3 + 3 * 2);
  expect(exchange.numbers).toMatchObject({ groups: 1, memberships: 1, names: 1, links: 1 });
  expect(parts[0]?.hub.presence.list("g")).toHaveLength(1);
});

test("what is claimed and asked before the rows of other servers are known waits for them: a name that is held there is not granted", async () => {
  const network = new MemoryNetwork();
  const parts: ExchangeParts[] = [];
  const serverAt = async (node: string, startedAt: number) => {
    const path = folder();
    const nodes = (given: ExchangeParts) => {
      parts.push(given);
      const tables = [groupTable(given.hub), nameTable(given.names), presenceTable(given.hub)];
      const own = { carrier: new MemoryCarrier(network), tables, onEvent: () => {}, onRefused: () => {} };
      return new Nodes({ node, startedAt, nodeTimeout: 60_000 }, { ...given, ...own });
    };
    const exchange = new Exchange({ path, transport: handle, workers: 0, node, nodes });
    await exchange.listen();
    onTestFinished(() => exchange.close());
    return (await workersAt(path, 1))[0] as FakeWorker;
  };
  const here = await serverAt("a", 1);
  const holder = here.member();
  await here.names.claim(holder, "n", false, 60_000);
  const other = await serverAt("b", 2);
  const asked = other.asks.ask("n", 60_000, (id) => other.link.ask(id, "n", Message.of("q"), 60_000, [0, 0]));
  const outside: string[] = [];
  const client = { request: () => false, answered: (_id: number, code: string) => void outside.push(code) };
  const body = Buffer.alloc(Message.of("q").byteLength);
  Message.of("q").write(body, 0);
  parts[1]?.ask(client, 1, "n", { within: 60_000, from: [0, 0], body });
  const claimed = other.names.claim(other.member(), "n", true, 60_000);
  await expect(claimed).rejects.toMatchObject({ code: "taken" });
  await until(() => holder.got.length === 2);
  for (const request of holder.got) (request as Request<string, string>).reply("a");
  expect(await asked).toBe("a");
  await until(() => outside.length > 0);
  expect(outside).toEqual(["answer"]);
  expect(await other.names.claim(other.member(), "free", true, 60_000)).toMatchObject({ previous: "none" });
});
