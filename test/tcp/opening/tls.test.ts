/** TLS below a connection: `serve(protocol, { tls })`, end to end, on both transports. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { connect } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  type Conn,
  defineProtocol,
  exit,
  packet,
  type ServeOptions,
  serve,
  stop,
} from "../../../src/index.js";
import type { OpeningFailed } from "../../../src/tcp/observe/events.js";
import { handshakes } from "../../../src/transport/secure/secure-socket.js";
import {
  certificateFile,
  certificateFiles,
  certificatePem,
} from "../../support/certificates/certificates.js";
import { Client, packet2 } from "../../support/client.js";
import { closedAs, connected, manualClock, serving } from "../../support/serving.js";
import { TlsClient } from "../../support/tls-client.js";
import { turn, until } from "../../support/until.js";

const ca = certificateFile("ca.crt");

/** Echoes, and tells what it knows of its TLS when asked. */
const echo = defineProtocol({
  name: "echo",
  framing: packet(2),
  data: () => ({ ended: undefined as boolean | undefined }),
  states: {
    ready: {
      frame: (conn, frame) => {
        if (`${frame}` !== "who") return conn.send(frame);
        const { client, closeNotify: _, ...rest } = conn.tls ?? {};
        return conn.send(JSON.stringify({ ...rest, client: client?.commonName }));
      },
      ended: (conn) => {
        conn.data.ended = conn.tls?.closeNotify;
        conn.send(`${conn.data.ended}`);
        return stop();
      },
    },
  },
});

async function client(
  port: number,
  options: Parameters<typeof TlsClient.secure>[1] = {},
): Promise<TlsClient> {
  const made = await TlsClient.secure(port, options);
  onTestFinished(async () => void (await made.close()));
  return made;
}

function failures(): OpeningFailed[] {
  const seen: OpeningFailed[] = [];
  const note = (event: unknown) => void seen.push(event as OpeningFailed);
  subscribe("tcp.opening_failed", note);
  onTestFinished(() => void unsubscribe("tcp.opening_failed", note));
  return seen;
}

/** Sends bytes to a TLS port in clear, and waits until the server closes. @returns what it has sent back */
async function plain(port: number, bytes: string | Buffer): Promise<Buffer> {
  const made = await Client.connect(port);
  onTestFinished(async () => void (await made.close()));
  made.write(bytes);
  return (await made.end()).bytes;
}

/** The first message of a TLS client, whole. */
async function clientHello(): Promise<Buffer> {
  const sink = createServer().listen(0, "127.0.0.1");
  await once(sink, "listening");
  const { port } = sink.address() as AddressInfo;
  const client = connect({ port, host: "127.0.0.1" }).on("error", () => {});
  const [socket] = await once(sink, "connection");
  const [hello] = await once(socket, "data");
  client.destroy();
  sink.close();
  return hello;
}

describe.each(["handle", "stream"] as const)("TLS on %s", (transport) => {
  const start = (tls: Partial<NonNullable<ServeOptions["tls"]>> = {}) =>
    serving(echo, { transport, tls: { ...certificateFiles("server"), ...tls } });

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "%s: frames of every size go both ways, and conn.tls shows it",
    async (version) => {
      const server = await start({ alpn: ["echo"] });
      const one = await client(server.port, {
        minVersion: version,
        maxVersion: version,
        ALPNProtocols: ["echo"],
      });
      const frames = ["who", "", "x", "y".repeat(1_000), "z".repeat(60_000)];
      const [tls, ...echoed] = await one.send(...frames).receive(frames.length);
      expect(echoed).toEqual(frames.slice(1));
      expect(JSON.parse(tls as string)).toMatchObject({
        protocol: version,
        servername: "localhost",
        alpn: "echo",
        resumed: false,
      });
      one.finish();
      await one.end();
      expect(await closedAs(server)).toEqual({ closed: 1 });
    },
  );

  test("a megabyte in one-byte writes of the client, and of a slow reader, arrives whole", async () => {
    const server = await start();
    const one = await client(server.port);
    for (const byte of packet2("one byte a record")) one.write(Buffer.from([byte]));
    expect(await one.receive()).toEqual(["one byte a record"]);
    one.socket.pause();
    const block = Buffer.alloc(50_000, "x");
    for (let n = 0; n < 100; n++) one.send(block);
    await until(() => server.counters.framesReceived > 2);
    one.socket.resume();
    await until(() => one.received === 17 + 2 + 100 * 50_002);
    one.finish();
    await one.end();
    expect(await closedAs(server)).toEqual({ closed: 1 });
  });

  test("a client certificate: right, none, of another CA, expired", async () => {
    const server = await start({ ca, clientCerts: "required" });
    const failed = failures();
    const one = await client(server.port, certificatePem("client"));
    expect(JSON.parse((await one.send("who").receive())[0] as string)).toMatchObject({ client: "device-1" });
    await one.close();
    for (const pem of [{}, certificatePem("client-rogue"), certificatePem("client-expired")]) {
      // The handshake is done for the client of TLS 1.3 before the server has seen its certificate.
      const refused = await TlsClient.begin(server.port, pem);
      await refused.end();
      await refused.close();
    }
    expect(await closedAs(server)).toEqual({ closed: 1, tls_refused: 3 });
    expect(failed.map(({ message }) => message)).toEqual([
      "the client has sent no certificate",
      expect.stringMatching(/^the client's certificate \(.*device-1.*\): unable to/),
      expect.stringMatching(/device-2.*expired/),
    ]);
  });

  test("resumption, in both versions", async () => {
    const server = await start();
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      let session: Buffer | undefined;
      const first = await TlsClient.begin(server.port, { maxVersion });
      first.socket.on("session", (made: Buffer) => (session = made));
      await first.send("x").receive();
      await first.close();
      const again = await client(server.port, { maxVersion, session: session as Buffer | undefined });
      expect(JSON.parse((await again.send("who").receive())[0] as string)).toMatchObject({ resumed: true });
      expect(again.socket.isSessionReused()).toBe(true);
    }
  });

  test("half-close: close_notify ends the client's sending, and it still gets its answer", async () => {
    const server = await start();
    const one = (await client(server.port)).finish();
    await one.end();
    expect(one.frames).toEqual([transport === "handle" ? "true" : "undefined"]);
    expect(await closedAs(server)).toEqual({ closed: 1 });
  });

  test("FIN without close_notify is told from it, and inside a frame it is truncated", async () => {
    const server = await start();
    const one = await client(server.port);
    one.raw.end();
    await one.end();
    expect(one.frames).toEqual([transport === "handle" ? "false" : "undefined"]);
    const two = await client(server.port);
    two.write(packet2("complete").subarray(0, 5));
    await until(() => server.counters.bytesReceived === 5);
    two.raw.end();
    await two.end();
    expect(await closedAs(server)).toEqual({ closed: 1, truncated: 1 });
  });

  test("plain bytes, HTTP and old versions: an alert, tls_error, and words", async () => {
    const server = await start();
    const failed = failures();
    const alert = await plain(server.port, "GET / HTTP/1.1\r\n\r\n");
    await plain(server.port, packet2("hello"));
    await plain(server.port, Buffer.alloc(20_000, 22));
    const old = await TlsClient.begin(server.port, {
      maxVersion: "TLSv1.1",
      minVersion: "TLSv1",
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    await old.end();
    await old.close();
    expect(await closedAs(server)).toEqual({ tls_error: 4 });
    expect(alert[0] === undefined || alert[0] === 21).toBe(true);
    expect(failed[0]?.message).toContain("HTTP");
    expect(failed[3]?.message).toContain("version");
  });

  test("garbage after the handshake is tls_error", async () => {
    const server = await start();
    const one = await client(server.port);
    one.raw.write("garbage, in the midst of records");
    await one.end();
    expect(await closedAs(server)).toEqual({ tls_error: 1 });
  });

  test("a client that is silent, stops within its hello, or behind it, is closed after 5 s", async () => {
    const hello = await clientHello();
    const clock = manualClock();
    const server = await start();
    const clients = [await connected(server), await connected(server), await connected(server)];
    const [, half, whole] = clients as [Client, Client, Client];
    half.write(hello.subarray(0, 7));
    whole.write(hello);
    await until(() => server.counters.active === 3 && whole.received > 0);
    await clock.advance(4_999);
    expect(clients.map(({ ended }) => ended)).toEqual([false, false, false]);
    await clock.advance(201);
    for (const one of clients) await one.end();
    expect(await closedAs(server)).toEqual({ handshake_timeout: 3 });
    expect(server.counters.handshakes).toMatchObject({ full: 0, failed: 0, timeout: 3 });
  });

  test("an echo does not wait for a flood of handshakes", async () => {
    const hello = await clientHello();
    const server = await start();
    const one = await client(server.port);
    const flood = await Promise.all(Array.from({ length: 300 }, () => connected(server)));
    await until(() => server.counters.active === 301);
    for (const each of flood) each.write(hello);
    await one.send("hi").receive();
    expect(handshakes.length).toBeGreaterThan(150);
    await until(() => flood.every(({ received }) => received > 0));
    expect(handshakes.length).toBe(0);
  });

  test("a client of another listener has finished its handshake before a flood of them on the first is done", async () => {
    const hello = await clientHello();
    const tls = certificateFiles("server");
    const listener = <N extends string>(name: N) => ({ name, protocol: echo, port: 0, transport, tls });
    const { listeners, stop } = await serve({ listeners: [listener("flooded"), listener("other")] });
    onTestFinished(() => stop());
    const { flooded, other } = listeners;
    const flood = await Promise.all(Array.from({ length: 300 }, () => connected(flooded)));
    await until(() => flooded.counters.active === 300);
    for (const each of flood) each.write(hello);
    await until(() => handshakes.length > 0);
    const one = await client(other.port);
    await one.send("hi").receive();
    expect(handshakes.length).toBeGreaterThan(0);
    await until(() => flood.every(({ received }) => received > 0));
  });

  test("a thousand clients that stop within their hello do not keep others out, and end together", async () => {
    const hello = await clientHello();
    const clock = manualClock();
    const server = await start();
    const slow = await Promise.all(Array.from({ length: 1_000 }, () => connected(server)));
    for (const each of slow) each.write(hello.subarray(0, 7));
    await until(() => server.counters.active === 1_000);
    const one = await client(server.port);
    expect(await one.send("hi").receive()).toEqual(["hi"]);
    expect(server.counters.handshakes).toMatchObject({ full: 1, timeout: 0 });
    await clock.advance(5_300);
    await until(() => server.counters.active === 1);
    expect(server.counters.handshakes).toMatchObject({ full: 1, failed: 0, timeout: 1_000 });
    await Promise.all(slow.map((each) => each.end()));
    expect(await one.send("still").receive(2)).toEqual(["hi", "still"]);
  });

  test("a server that stops in the midst of a handshake ends the connection", async () => {
    const server = await start();
    const silent = await Client.connect(server.port);
    await until(() => server.counters.active === 1);
    await server.stop();
    await silent.end();
    expect(server.counters.closed.shutdown).toBe(1);
    await silent.close();
  });

  test("a kill in the midst of a write ends the connection", async () => {
    let conn: Conn<any, any> | undefined;
    const states = { ready: { enter: (one: Conn<any, any>) => void (conn = one) } };
    const protocol = defineProtocol({ name: "writer", framing: packet(2), states });
    const server = await serving(protocol, { transport, tls: certificateFiles("server") });
    const one = await client(server.port);
    one.socket.pause();
    await until(() => conn !== undefined);
    for (const block = Buffer.alloc(60_000); server.counters.outbound === 0; await turn()) conn?.send(block);
    exit((conn as Conn<any, any>).pid, "kill");
    expect(await closedAs(server)).toEqual({ killed: 1 });
    one.socket.resume();
    await one.end();
  });
});
