/** `startTls()` with real handshakes on both transports. */
import { connect as connectTls, type TLSSocket } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { become, defineProtocol, lines, next, type Protocol, packet, startTls } from "../../../src/index.js";
import { certificateFiles, certificatePem } from "../../support/certificates/certificates.js";
import { type Client, packet2 } from "../../support/client.js";
import { connected, manualClock, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

const binary: Protocol<any, any, Buffer, any> = defineProtocol({
  name: "binary",
  framing: packet(2),
  states: { open: { frame: (conn, frame) => conn.send(frame) } },
});

const frames: string[] = [];
const mail: Protocol<any, any, string, string> = defineProtocol({
  name: "mail",
  framing: lines(),
  states: {
    clear: {
      frame: async (conn, line) => {
        frames.push(line);
        if (line === "SLOW") await turn(5);
        if (line === "LARGE") conn.send("x".repeat(8_000));
        conn.send(`clear ${line} ${conn.tls?.protocol ?? ""}`.trim());
        return line === "STARTTLS" || line === "SLOW" ? next("secure", startTls()) : undefined;
      },
    },
    secure: {
      enter: (conn) => conn.send(`welcome to ${conn.tls?.servername}, ${conn.tls?.protocol}`),
      frame: (conn, line) => {
        frames.push(line);
        return line === "BINARY" ? become(binary) : conn.send(`secure ${line}`);
      },
    },
  },
  becomes: () => [binary],
});
const tls = { start: "by_protocol", ...certificateFiles("server") } as const;
const { cert: ca } = certificatePem("ca");

/** TLS over the client's socket. */
async function secured(client: Client): Promise<{ readonly socket: TLSSocket; said: string }> {
  client.socket.removeAllListeners("data");
  const socket = connectTls({ socket: client.socket, ca, servername: "localhost" });
  onTestFinished(() => void socket.destroy());
  const seen = { socket, said: "" };
  socket.setEncoding("latin1").on("data", (text: string) => (seen.said += text));
  await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  return seen;
}

describe.each(["handle", "stream"] as const)("on %s", (transport) => {
  const served = async () => {
    frames.length = 0;
    return serving(mail, { transport, tls });
  };

  test("a dialogue in clear, then encrypted, then in another protocol", async () => {
    const server = await served();
    const client = (await connected(server)).write("EHLO\nSTARTTLS\n");
    await until(() => client.bytes.toString() === "clear EHLO\nclear STARTTLS\n");
    const seen = await secured(client);
    const { socket } = seen;
    socket.write("MAIL\nBINARY\n");
    socket.write(packet2("x"));
    await until(() => seen.said.includes("\0\x01x"));
    expect(seen.said.startsWith("welcome to localhost, TLSv1.3\nsecure MAIL\n") || seen.said).toBe(true);
    expect([socket.getProtocol(), server.counters.framesReceived]).toEqual(["TLSv1.3", 5]);
    socket.end();
    await until(() => server.counters.active === 0);
    expect(server.counters.closed.closed).toBe(1);
  });

  test("twenty clients at once, with answers that fill the kernel's buffer", async () => {
    const server = await served();
    await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        const client = (await connected(server)).write(`${"LARGE\n".repeat(at * 3)}SLOW\n`);
        await until(() => client.bytes.toString().endsWith("clear SLOW\n"));
        const seen = await secured(client);
        seen.socket.write("MAIL\n");
        await until(() => seen.said === "welcome to localhost, TLSv1.3\nsecure MAIL\n");
      }),
    );
  });

  test.each(["RSET\n", "\x16\x03\x01\0\x01"])("bytes behind the command are no frame: %j", async (behind) => {
    const server = await served();
    const client = await connected(server);
    client.write(`STARTTLS\n${behind}`);
    await client.end();
    expect(server.counters.closed.tls_error).toBe(1);
    expect(frames).toEqual(["STARTTLS"]);
  });

  test("bytes in clear that come later are a handshake that fails", async () => {
    const server = await served();
    const client = (await connected(server)).write("STARTTLS\n");
    await until(() => client.bytes.length > 0);
    client.write("RSET\n");
    await client.end();
    expect(server.counters.closed.tls_error).toBe(1);
    expect(frames).toEqual(["STARTTLS"]);
  });

  test("a client that goes in the handshake leaves nothing", async () => {
    const server = await served();
    const client = (await connected(server)).write("STARTTLS\n");
    await until(() => client.bytes.length > 0);
    client.write("\x16\x03\x01\x02").finish();
    await until(() => server.counters.active === 0);
    const other = (await connected(server)).write("STARTTLS\n");
    await until(() => other.bytes.length > 0);
    other.reset();
    await until(() => server.counters.active === 0);
    expect(server.counters).toMatchObject({ accepted: 2, outbound: 0, closed: { closed: 1, reset: 1 } });
  });

  test("the first state may begin it, also where the handshake came with a PROXY header", async () => {
    const atOnce: Protocol<any, any, string, string> = defineProtocol({
      name: "at-once",
      framing: lines(),
      states: {
        clear: { enter: () => next("secure", startTls()) },
        secure: { frame: (conn, line) => conn.send(`secure ${line}`) },
      },
    });
    for (const header of ["", "PROXY TCP4 192.0.2.7 192.0.2.8 5000 25\r\n"]) {
      const proxy = header === "" ? {} : { proxy: { from: ["127.0.0.1"] } };
      const server = await serving(atOnce, { transport, tls, ...proxy });
      const client = await connected(server);
      client.socket.cork();
      if (header !== "") client.socket.write(header);
      const opening = secured(client);
      await turn();
      client.socket.uncork();
      const seen = await opening;
      seen.socket.write("hi\n");
      await until(() => seen.said === "secure hi\n");
    }
  });

  test("a server that stops in the handshake does so at once", async () => {
    const clock = manualClock();
    const server = await served();
    const client = (await connected(server)).write("STARTTLS\n");
    await until(() => client.bytes.length > 0);
    let stopped = false;
    void server.stop().then(() => (stopped = true));
    while (!stopped) await clock.advance(100);
    // The handshake has 5 s.
    expect(clock.now()).toBeLessThan(4_000);
    await until(() => client.closed || client.ended || client.code !== undefined);
  });
});
