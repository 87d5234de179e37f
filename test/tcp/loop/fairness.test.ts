/** No client's frames keep another's waiting, and none are lost in between. */
import { expect, onTestFinished, test } from "vitest";
import { defineProtocol, exit, type Framing, type Pid, packet } from "../../../src/index.js";
import { systemClock, useClock } from "../../../src/otp/time/clock.js";
import { RunQueue } from "../../../src/tcp/loop/run-queue.js";
import { packet2 } from "../../support/client.js";
import { closedAs, connected, crashes, serving, testServer } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

/** Who was served, in order. */
function recorder() {
  const order: string[] = [];
  const pids: Pid[] = [];
  const protocol = defineProtocol({
    name: "recorder",
    framing: packet(2),
    data: () => ({ name: "" }),
    states: {
      ready: {
        enter: (conn) => void pids.push(conn.pid),
        frame: (conn, frame) => {
          if (frame.length > 0) conn.data.name = `${frame}`;
          order.push(conn.data.name);
        },
      },
    },
  });
  return { order, pids, protocol };
}

test("10,000 empty frames in one segment are handled 64 at a time, with others in between", async () => {
  const { order, protocol } = recorder();
  const server = await serving(protocol);
  const [many, one] = [await connected(server), await connected(server)];
  many.send("many", ...new Array<string>(10_000).fill(""));
  await until(() => order.length > 0);
  one.send("one");
  await until(() => order.length === 10_002);
  const at = order.indexOf("one");
  expect(order.filter((name) => name === "many")).toHaveLength(10_001);
  expect(at).toBeLessThan(5_000);
  const runs = order.slice(0, at);
  expect(runs.length % 64).toBe(0);
});

test("large answers to many clients at once: 16 MiB are written between two polls, the others wait for the next", async () => {
  const MIB = 2 ** 20;
  const CLIENTS = 60;
  const perPoll = [0];
  const large = defineProtocol({
    name: "large",
    framing: packet(4, { maxLength: MIB }),
    states: {
      ready: {
        frame: (conn) => {
          perPoll[perPoll.length - 1]!++;
          conn.send(Buffer.alloc(MIB));
        },
      },
    },
  });
  const { counters, port } = await testServer(large);
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connected({ port })));
  await until(() => counters.active === CLIENTS);
  let counting = true;
  onTestFinished(() => void (counting = false));
  const count = () => {
    perPoll.push(0);
    if (counting) setImmediate(count);
  };
  setImmediate(count);
  for (const client of clients) client.write(Buffer.from("\0\0\0\x01x"));
  await until(() => clients.every(({ received }) => received === MIB + 4));
  expect(perPoll.reduce((sum, answers) => sum + answers)).toBe(CLIENTS);
  // Those of a poll, and those of the run queue behind it.
  expect(Math.max(...perPoll)).toBeLessThanOrEqual(2 * 17);
});

test("frames of two flooding clients alternate by turns of at most 64 frames", async () => {
  const { order, protocol } = recorder();
  const server = await serving(protocol);
  const clients = [await connected(server), await connected(server)];
  await until(() => server.counters.active === 2);
  clients[0]?.send("a", ...new Array<string>(2_000).fill(""));
  clients[1]?.send("b", ...new Array<string>(2_000).fill(""));
  await until(() => order.length === 4_002);
  const bothBusy = order.slice(order.indexOf("b"), Math.min(order.lastIndexOf("a"), order.lastIndexOf("b")));
  let run = 0;
  for (const [n, name] of bothBusy.entries()) {
    run = bothBusy[n - 1] === name ? run + 1 : 1;
    expect(run).toBeLessThanOrEqual(64);
  }
});

test("a client whose frames wait for their turn is not read until they are handled", async () => {
  let unhandled = 0;
  const protocol = defineProtocol({
    name: "unhandled",
    framing: packet(2),
    states: {
      ready: {
        frame: () => {
          const { bytesReceived, framesReceived } = server.counters;
          unhandled = Math.max(unhandled, bytesReceived - 2 * framesReceived);
        },
      },
    },
  });
  const server = await serving(protocol);
  (await connected(server)).write(Buffer.alloc(2 * 200_000));
  await until(() => server.counters.framesReceived === 200_000);
  // One chunk, and the frame that was cut off at the end of the last one.
  expect(unhandled).toBeLessThanOrEqual(65_536 + 2);
});

/** Five entries with two turns of 0.4 ms each: the order of turns, and `|` where the sockets were read. */
async function slices(look: (counters: { accepted: number }) => void): Promise<string> {
  let now = 0;
  onTestFinished(useClock({ ...systemClock, now: () => now }));
  const queue = new RunQueue();
  const order: string[] = [];
  for (const name of ["a", "b", "c", "d", "e"]) {
    let turns = 2;
    const resumeTurn = () => {
      now += 0.4;
      order.push(name);
      if (--turns > 0) queue.add({ resumeTurn });
    };
    queue.add({ resumeTurn });
  }
  while (order.filter((name) => name !== "|").length < 10) {
    look(queue);
    await new Promise(setImmediate);
    order.push("|");
  }
  return order.join("");
}

test("connections with much work share a slice of time, and the sockets are read before the next one", async () => {
  expect(await slices(() => {})).toBe("abc|dea|bcd|e|");
});

test("while each read of the sockets accepts a connection, the slice is a turn, and connections without work take none", async () => {
  let looks = 0;
  const counted = await slices((counters) => {
    if (looks++ < 4) counters.accepted++;
  });
  expect(counted).toBe("a|b|c|d|eab|cde|");

  const queue = new RunQueue();
  queue.accepted = 1;
  let handled = 0;
  for (let n = 0; n < 100; n++) queue.add({ resumeTurn: () => void handled++ });
  await new Promise(setImmediate);
  expect(handled).toBe(100);
});

test("a turn that throws takes none from other connections", async () => {
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
  onTestFinished(() => {
    for (const listener of before) process.on("uncaughtException", listener);
  });
  const queue = new RunQueue();
  let resumed = 0;
  const throwing = () => {
    throw new Error("of this turn only");
  };
  queue.add({ resumeTurn: throwing });
  queue.add({ resumeTurn: () => void resumed++ });
  expect(await thrown).toMatchObject({ message: "of this turn only" });
  queue.add({ resumeTurn: () => void resumed++ });
  await until(() => resumed === 2);
});

test("a framing that fails between two turns ends its own connection only", async () => {
  const seen = crashes();
  let frames = 0;
  const faulty: Framing<Buffer, Buffer> = {
    ...packet(2),
    name: "faulty",
    decoder: () => {
      const decoder = packet(2).decoder();
      return {
        push: (chunk) => decoder.push(chunk),
        pull: () => decoder.pull(),
        get buffered() {
          if (frames > 64) throw new Error("lost count");
          return decoder.buffered;
        },
      };
    },
    encodedLength: (frame) => packet(2).encodedLength(frame),
    encodeInto: (frame, target, offset) => packet(2).encodeInto(frame, target, offset),
  };
  const server = await serving(
    defineProtocol({ name: "faulty", framing: faulty, states: { ready: { frame: () => void frames++ } } }),
  );
  await (await connected(server)).write(Buffer.alloc(2 * 1_000)).end();
  expect(await closedAs(server)).toEqual({ crash: 1 });
  expect(seen[0]?.reason).toMatchObject({ message: "lost count" });
});

test("a client without waiting frames is in no queue when its protocol asks for the next frame", async () => {
  const { endpoint, port } = await testServer(
    defineProtocol({
      name: "one-by-one",
      framing: packet(2),
      active: 1,
      states: { ready: { frame: (conn, frame) => conn.send(frame), passive: (conn) => conn.setActive(1) } },
    }),
  );
  let queued = 0;
  const add = endpoint.loop.runQueue.add.bind(endpoint.loop.runQueue);
  endpoint.loop.runQueue.add = (one) => {
    queued++;
    add(one);
  };
  const client = await connected({ port });
  for (let n = 1; n <= 10; n++) expect(await client.send(`${n}`).receive(n)).toHaveLength(n);
  expect(queued).toBe(0);
  // Those that came together wait for a turn each.
  expect(await client.send("a", "b", "c").receive(13)).toHaveLength(13);
  expect(queued).toBeGreaterThan(0);
  expect(await client.finish().end()).toMatchObject({ ended: true });
});

test("a turn ends after 64 KiB of large frames too", async () => {
  const { order, protocol } = recorder();
  const server = await serving({ ...protocol, limits: { bytesPerTurn: 3_000 } });
  const client = await connected(server);
  let turns = 0;
  const count = () => {
    turns++;
    if (order.length < 20) setImmediate(count);
  };
  client.send("large", ...new Array<Buffer>(20).fill(Buffer.alloc(1_000, "x")));
  await until(() => order.length > 0);
  count();
  await until(() => order.length === 21);
  expect(turns).toBeGreaterThan(3);
});

test("a connection that is killed in the middle of its frames handles no more of them", async () => {
  const { order, pids, protocol } = recorder();
  const server = await serving(protocol);
  const client = (await connected(server)).send("x", ...new Array<string>(5_000).fill(""));
  await until(() => order.length > 0);
  exit(pids[0] as Pid, "kill");
  const handled = order.length;
  expect(handled).toBeLessThan(5_000);
  await turn(10);
  expect(order).toHaveLength(handled);
  await client.end();
  expect(await closedAs(server)).toEqual({ killed: 1 });
});

test("frames that are split at every byte arrive as they were sent", async () => {
  const server = await serving(
    defineProtocol({
      name: "echo",
      framing: packet(2),
      states: { ready: { frame: (conn, frame) => conn.send(frame) } },
    }),
  );
  const whole = Buffer.concat(["", "a", "hello", "", "world!"].map(packet2));
  for (let cut = 1; cut < whole.length; cut++) {
    const client = await connected(server);
    client.write(whole.subarray(0, cut));
    await until(() => server.counters.bytesReceived % whole.length === cut);
    client.write(whole.subarray(cut));
    expect(await client.receive(5)).toEqual(["", "a", "hello", "", "world!"]);
  }
  const client = await connected(server);
  const { bytesReceived } = server.counters;
  for (let at = 0; at < whole.length; at++) {
    client.write(whole.subarray(at, at + 1));
    await until(() => server.counters.bytesReceived === bytesReceived + at + 1);
  }
  expect(await client.receive(5)).toEqual(["", "a", "hello", "", "world!"]);
});

test("all that is sent while frames of one chunk are handled leaves in one write", async () => {
  const server = await serving(
    defineProtocol({
      name: "echo",
      framing: packet(2),
      states: { ready: { frame: (conn, frame) => conn.send(frame) } },
    }),
  );
  const client = await connected(server);
  let chunks = 0;
  client.socket.on("data", () => chunks++);
  expect(await client.send(...new Array<string>(50).fill("x")).receive(50)).toHaveLength(50);
  expect(chunks).toBe(1);
});

test("clients that send large frames at full speed take turns: between two polls little more than 1 MiB is read of all of them", async () => {
  const [count, length] = [24, 900_000];
  const protocol = defineProtocol({
    name: "large",
    framing: packet(4),
    states: { ready: { frame: (conn, frame) => conn.send(Buffer.from(`${frame.length}`)) } },
  });
  const { counters, port } = await serving(protocol, { transport: "handle" });
  const clients = await Promise.all(Array.from({ length: count }, () => connected({ port })));
  await until(() => counters.active === count);
  const begun = Buffer.alloc(4 + length);
  begun.writeUInt32BE(length + 1);
  let [most, before] = [0, 0];
  // The kernel takes much of it at once, so that all of them can be read.
  for (const client of clients) client.write(begun);
  await until(() => {
    most = Math.max(most, counters.bytesReceived - before);
    before = counters.bytesReceived;
    return before === count * begun.length;
  });
  expect(most).toBeLessThan((1 + 1) * 2 ** 20 + count * 65_536);
  for (const client of clients) client.write(Buffer.alloc(1));
  const answer = 4 + `${length + 1}`.length;
  await until(() => clients.every(({ received }) => received === answer));
  expect(counters.framesReceived).toBe(count);
});
