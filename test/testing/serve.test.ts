/** `drover/testing`: what a test of a protocol sees of its server. */
import { afterAll, afterEach, expect, onTestFinished, test, vi } from "vitest";
import {
  become,
  defineProtocol,
  exit,
  fixed,
  group,
  lines,
  next,
  Pid,
  packet,
  type ServingListener,
  server,
  startSupervisor,
  startTls,
  stop,
  stopSupervisor,
  supervisor,
  whichChildren,
} from "../../src/index.js";
import { type Crash, type LogLine, ManualClock, serve, type TestServeOptions } from "../../src/testing.js";
import { certificateFile, certificateFiles } from "../support/certificates/certificates.js";
import { until } from "../support/until.js";

const printed = vi.spyOn(console, "error").mockImplementation(() => {});
afterEach(() => void printed.mockClear());
afterAll(() => printed.mockRestore());

const greeter = defineProtocol({
  name: "greeter",
  framing: lines(),
  data: () => ({ name: "" }),
  states: {
    ready: {
      enter: (conn) => conn.send("who?"),
      frame: (conn, name) => {
        conn.log.info({ of: name }, "greets");
        if (name === "crash") throw new Error("no such name");
        if (name === "bye") return stop("bye");
        conn.send(`hello, ${name}`);
        return undefined;
      },
      idle: { after: "1m", do: stop("idle") },
      shutdown: (conn) => {
        conn.send("going down");
        return stop("shutdown");
      },
    },
  },
});

async function serving(options?: TestServeOptions) {
  const server = await serve(greeter, options);
  onTestFinished(() => server.stop());
  return server;
}

test("a client speaks the framing of the protocol, and knows why its connection has ended", async () => {
  const server = await serving();
  const client = await server.connect();
  expect(await client.next()).toBe("who?");
  client.send("ada", "eve");
  expect([await client.next(), await client.next()]).toEqual(["hello, ada", "hello, eve"]);
  client.write("by").write("e\n");
  expect(await client.closed).toBe("stopped");
  await expect(client.next()).rejects.toThrow("the connection is closed (stopped)");
  expect([server.crashes, server.counters.closed.stopped]).toEqual([[], 1]);
});

test("a crash is printed, and is what the client's `closed` and `next` fail with", async () => {
  const server = await serving();
  const client = await server.connect();
  await client.next();
  const next = client.send("crash").next();
  await expect(client.closed).rejects.toThrow("no such name");
  await expect(next).rejects.toThrow("no such name");
  expect(server.crashes).toHaveLength(1);
  expect(printed.mock.calls.flat().join("\n")).toMatch(
    /CRASH REPORT[\s\S]*no such name[\s\S]*serve\.test\.ts/,
  );
});

test("`onCrash` gets the crashes of its own server, which are then not printed", async () => {
  const [crashes, others]: Crash[][] = [[], []];
  const server = await serving({ onCrash: (crash) => crashes!.push(crash) });
  await serving({ onCrash: (crash) => others!.push(crash) });
  const client = await server.connect();
  client.send("crash");
  await expect(client.closed).rejects.toThrow("no such name");
  expect([crashes!.length, others!.length, printed.mock.calls.length]).toEqual([1, 0, 0]);
  expect(crashes![0]!.pid).toBeInstanceOf(Pid);
});

test("`log` prints from a level on, nothing, or gives every line to a function", async () => {
  const lines: LogLine[] = [];
  const server = await serving({ log: (line) => void lines.push(line) });
  const client = await server.connect();
  client.send("ada");
  await client.next();
  await client.next();
  expect(lines.find(({ msg }) => msg === "greets")).toMatchObject({
    ...{ level: "info", of: "ada", protocol: "greeter", state: "ready" },
  });
  expect(printed).not.toHaveBeenCalled();
  await server.stop();
  const loud = await serving({ log: "info" });
  const other = await loud.connect();
  other.send("eve");
  await other.next();
  await other.next();
  expect(printed.mock.calls.flat().join("\n")).toMatch(/INFO .* greets {2}of=eve/);
  await loud.stop();
  printed.mockClear();
  const quiet = await serving({ log: "silent" });
  const last = await quiet.connect();
  last.send("crash");
  await expect(last.closed).rejects.toThrow("no such name");
  expect(printed).not.toHaveBeenCalled();
});

test("a manual clock is in use until `stop`, which lets it pass", async () => {
  const clock = new ManualClock();
  const server = await serving({ clock });
  const [idle, client] = [await server.connect(), await server.connect()];
  await clock.advance(50_000);
  client.send("ada");
  await client.next();
  await client.next();
  await clock.advance(11_000);
  expect(await idle.closed).toBe("idle");
  await server.stop();
  expect([await client.next(), await client.closed]).toEqual(["going down", "shutdown"]);
  await server.ended;
});

test("`next` fails when no frame comes in time", async () => {
  const silent = defineProtocol({ name: "silent", framing: lines(), states: { ready: {} } });
  const server = await serve(silent);
  onTestFinished(() => server.stop());
  const client = await server.connect({ within: 20 });
  await expect(client.next()).rejects.toThrow("no frame within 20 ms; the connection is open");
  await client.close();
  expect(await client.closed).toBe("closed");
});

test("a bad network cuts, delays and resets what clients send", async () => {
  const clock = new ManualClock();
  const greeted: unknown[] = [];
  const log = ({ of }: LogLine) => void (of && greeted.push(of));
  const server = await serving({ clock, log, faults: { split: 1, delay: "10ms", resetAfter: 6 } });
  const client = await server.connect();
  await client.next();
  client.send("ada", "eve");
  await until(() => clock.pending > 1);
  for (let n = 0; n < 3; n++) await clock.advance(10);
  expect(greeted).toEqual([]);
  for (let n = 0; n < 3; n++) await clock.advance(10);
  expect(await client.next()).toBe("hello, ada");
  expect(await client.closed).toBe("reset");
});

test("a client can change its framing with the connection", async () => {
  const binary = defineProtocol({
    name: "binary",
    framing: fixed(4),
    states: { on: { frame: (conn, frame) => conn.send(frame) } },
  });
  const command = defineProtocol({
    name: "command",
    framing: lines(),
    becomes: () => [binary],
    states: {
      on: {
        frame: (conn, line) => {
          conn.send(line);
          return become(binary);
        },
      },
    },
  });
  const server = await serve(command);
  onTestFinished(() => server.stop());
  const client = await server.connect();
  client.send("go");
  expect(await client.next()).toBe("go");
  const after = client.setFraming(fixed(4));
  after.send(Buffer.from([1, 2, 3, 4]));
  expect(await after.next()).toEqual(Buffer.from([1, 2, 3, 4]));
});

test("messages of groups are frozen: a member that changes one throws", async () => {
  const room = group<{ text: string }>("room");
  const member = defineProtocol({
    name: "member",
    framing: packet(2),
    takes: room,
    states: {
      in: {
        enter: (conn) => room.join(conn),
        frame: () => room.send({ text: "hello" }),
        message: (_, message) => {
          (message as { text: string }).text = "changed";
        },
      },
    },
  });
  const server = await serve(member, { log: "silent" });
  onTestFinished(() => server.stop());
  const client = await server.connect();
  client.send("go");
  await expect(client.closed).rejects.toThrow("read only property");
});

test("`ended` fails with the cause when the server ends by itself, and so does what cannot listen", async () => {
  const server = await serving({ log: "silent" });
  await expect(serve(greeter, { port: server.port })).rejects.toThrow("EADDRINUSE");
  const client = await server.connect();
  client.send("crash");
  await expect(client.closed).rejects.toThrow("no such name");
  exit(server.crashes[0]!.ancestors.at(-1)!, "kill");
  await expect(server.ended).rejects.toThrow("the server has ended by itself (killed)");
});

test("`server` is a child spec for a tree of one's own, and has its port again after a restart", async () => {
  const seen: ServingListener[] = [];
  const tree = await startSupervisor("app", {}, [
    supervisor("net", {}, [server(greeter, { port: 0, onListening: (one) => seen.push(one) })]),
  ]);
  onTestFinished(() => stopSupervisor(tree));
  expect(seen[0]!.port).toBeGreaterThan(0);
  const [net] = await whichChildren(tree);
  const [child] = await whichChildren(net!.pid as Pid);
  exit(child!.pid as Pid, "kill");
  await until(() => seen.length === 2);
  expect(seen[1]!.port).toBe(seen[0]!.port);
  await stopSupervisor(tree);
});

test("a restart of `server` waits for `worker.stop`, which may still hold what `worker.start` opens", async () => {
  const order: string[] = [];
  let release = () => {};
  const journal = defineProtocol({
    name: "journal",
    framing: lines(),
    worker: {
      start: () => void order.push("start"),
      stop: async () => {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        order.push("stopped");
      },
    },
    states: { ready: { frame: (conn, line) => conn.send(line) } },
  });
  const seen: ServingListener[] = [];
  const tree = await startSupervisor("app", {}, [
    server(journal, { port: 0, onListening: (one) => seen.push(one) }),
  ]);
  const [child] = await whichChildren(tree);
  exit(child!.pid as Pid, "kill");
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(["start"]);
  release();
  await until(() => seen.length === 2);
  expect(order).toEqual(["start", "stopped", "start"]);
  await stopSupervisor(tree);
  release();
});

const mail = defineProtocol({
  name: "mail",
  framing: lines(),
  states: {
    clear: {
      frame: (conn, line) => {
        if (line !== "STARTTLS") return conn.send("STARTTLS first");
        conn.send("go ahead");
        return next("secure", startTls());
      },
    },
    secure: { frame: (conn, line) => conn.send(`${line} over ${conn.tls?.protocol}`) },
  },
});

test("a client goes on with TLS when the server has agreed to it, and says what is wrong with a certificate", async () => {
  const tls = { start: "by_protocol", ...certificateFiles("server") } as const;
  const server = await serve(mail, { tls, log: "silent" });
  onTestFinished(() => server.stop());
  const agreed = async () => {
    const client = await server.connect();
    client.send("hello", "STARTTLS");
    expect([await client.next(), await client.next()]).toEqual(["STARTTLS first", "go ahead"]);
    return client;
  };
  const client = await agreed();
  await client.startTls({ ca: certificateFile("ca.crt") });
  client.send("hello");
  expect(await client.next()).toBe("hello over TLSv1.3");
  await client.close();
  const stranger = await agreed();
  await expect(stranger.startTls({})).rejects.toThrow(/certificate/);
  await stranger.close();
});

test("the client of a server whose TLS begins at once", async () => {
  const server = await serve(greeter, { tls: certificateFiles("server") });
  onTestFinished(() => server.stop());
  const client = await server.connect();
  await client.startTls({ ca: certificateFile("ca.crt") });
  expect(await client.next()).toBe("who?");
});
