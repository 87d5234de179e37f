/** TLS of `serve`: names, protocols, client certificates, reload and counters, with Node's own client. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { inspect } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { defineProtocol, packet } from "../../src/index.js";
import echo from "../../src/protocols/echo.js";
import { type ServeOptions, type Serving, serve } from "../../src/tcp/serve.js";
import type { TlsOptions } from "../../src/tls/options.js";
import {
  type CertificateName,
  certificateFile,
  certificateFiles,
  certificatePem,
} from "../support/certificates/certificates.js";
import { until } from "../support/until.js";

const ca = certificatePem("ca").cert;

async function served(tls: Partial<TlsOptions> = {}): Promise<Serving> {
  const transport = process.env.TRANSPORT as ServeOptions["transport"];
  const options = { port: 0, ...(transport && { transport }) };
  const server = await serve(echo, { ...options, tls: { ...certificateFiles("server"), ...tls } });
  onTestFinished(() => server.stop());
  return server;
}

/** Resolves with what the server has said, or why it did not: the handshake of a client ends before the server's in TLS 1.3. */
async function visit({ port }: Serving, options: ConnectionOptions = {}): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca, ...options });
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve) => {
    socket.once("secureConnect", () => socket.write(Buffer.from("\x00\x02hi", "latin1")));
    socket.once("data", (chunk) => resolve(`${described(socket)} ${chunk.subarray(2)}`));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once("close", () => resolve("closed"));
  });
}

const described = (socket: TLSSocket) =>
  [socket.getPeerCertificate().subject?.CN, socket.alpnProtocol || "-", socket.isSessionReused() && "resumed"]
    .filter(Boolean)
    .join(" ");

const more = [certificateFiles("b.example"), certificateFiles("wildcard.example")];

test("the certificate follows the name: exact, wildcard, the first for others", async () => {
  const server = await served({ more });
  expect(await visit(server)).toBe("localhost - hi");
  expect(await visit(server, { servername: "b.example" })).toBe("b.example - hi");
  expect(await visit(server, { servername: "x.c.example" })).toBe("*.c.example - hi");
  const unknown = { servername: "unknown.example", checkServerIdentity: () => undefined };
  expect(await visit(server, unknown)).toBe("localhost - hi");
  expect(server.counters.handshakes).toMatchObject({ full: 4, failed: 0, refused: 0 });
});

test("an unknown name is closed with strictNames", async () => {
  const server = await served({ more, strictNames: true });
  expect(await visit(server, { servername: "b.example" })).toBe("b.example - hi");
  expect(await visit(server, { servername: "unknown.example" })).not.toContain("hi");
  await until(() => server.counters.handshakes.failed === 1);
});

test("ALPN agrees on a protocol that both have; none is alert 120", async () => {
  const server = await served({ alpn: ["resp", "chat"] });
  expect(await visit(server, { ALPNProtocols: ["h2", "chat"] })).toBe("localhost chat hi");
  expect(await visit(server)).toBe("localhost - hi");
  expect(await visit(server, { ALPNProtocols: ["h2"] })).toBe("ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL");
});

const clients = { ca: certificateFile("ca.crt"), crl: certificateFile("crl.pem") };
const as = (name: CertificateName) => certificatePem(name);

test.each(["TLSv1.2", "TLSv1.3"] as const)(
  "%s: only good client certificates are let in",
  async (version) => {
    const server = await served(clients);
    const visitor = (options: ConnectionOptions) => visit(server, { ...options, maxVersion: version });
    expect(await visitor(as("client"))).toBe("localhost - hi");
    for (const name of ["client-rogue", "client-expired", "client-revoked"] as const)
      expect(await visitor(as(name)), name).not.toContain("hi");
    expect(await visitor({})).not.toContain("hi");
    await until(() => server.counters.handshakes.refused === 4);
    expect(server.counters).toMatchObject({
      closed: { tls_refused: 4, tls_error: 0 },
      handshakes: { full: 1, failed: 0 },
    });
  },
);

test("an optional certificate may be absent, and must be good where there is one", async () => {
  const server = await served({ ...clients, clientCerts: "optional" });
  expect(await visit(server)).toBe("localhost - hi");
  expect(await visit(server, as("client"))).toBe("localhost - hi");
  expect(await visit(server, as("client-rogue"))).not.toContain("hi");
});

test("a resumed session is counted as such", async () => {
  const server = await served();
  const socket = connect({ port: server.port, host: "127.0.0.1", servername: "localhost", ca });
  const session = await new Promise<Buffer>((resolve) => socket.once("session", resolve));
  socket.destroy();
  expect(await visit(server, { session })).toBe("- resumed hi");
  expect(server.counters.handshakes).toMatchObject({ full: 1, resumed: 1 });
});

test("what is not TLS is counted as failed", async () => {
  const server = await served();
  const socket = connectPlain(server.port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\n\r\n"));
  socket.on("error", () => {}).resume();
  await until(() => server.counters.handshakes.failed === 1);
  expect(server.counters.closed.tls_error).toBe(1);
});

test("new handshakes use reloaded certificates, open connections go on, a bad file changes nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "drover-serve-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const files = { cert: join(folder, "tls.crt"), key: join(folder, "tls.key") };
  const put = (name: CertificateName) => {
    for (const which of ["cert", "key"] as const) copyFileSync(certificateFiles(name)[which], files[which]);
  };
  put("server");
  const server = await served(files);
  const serial = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ port: server.port, host: "127.0.0.1", servername: "localhost", ca }, () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      });
      socket.once("error", reject);
    });
  const open = connect({ port: server.port, host: "127.0.0.1", servername: "localhost", ca });
  onTestFinished(() => void open.destroy());
  const before = await serial();
  put("server-renewed");
  await server.reloadTls();
  const after = await serial();
  expect(after).not.toBe(before);
  writeFileSync(files.cert, "nothing");
  await expect(server.reloadTls()).rejects.toThrow(`tls.cert: ${files.cert}: not PEM`);
  expect(await serial()).toBe(after);
  open.write(Buffer.from("\x00\x05still", "latin1"));
  const [answer] = await Promise.all([new Promise<Buffer>((resolve) => open.once("data", resolve))]);
  expect(answer.subarray(2).toString()).toBe("still");
});

test("neither a connection that is printed nor a crash report has a line of the private key", async () => {
  let printed = "";
  const leaky = defineProtocol({
    name: "leaky",
    framing: packet(2),
    data: () => ({}),
    states: {
      ready: {
        frame: (conn) => {
          printed = inspect(conn, { depth: 12, showHidden: true });
          throw Object.assign(new Error("crash"), { conn });
        },
      },
    },
  });
  const reports: string[] = [];
  const onCrash = (report: unknown) => reports.push(inspect(report, { depth: 12 }));
  subscribe("otp.crash", onCrash);
  onTestFinished(() => void unsubscribe("otp.crash", onCrash));
  const server = await serve(leaky, { port: 0, tls: certificatePem("server") });
  onTestFinished(() => server.stop());
  await visit(server);
  await until(() => reports.length === 1);
  const lines = certificatePem("server")
    .key.split("\n")
    .filter((line) => /^[\w+/=]{20,}$/.test(line));
  expect([printed.length > 100, lines.length > 1]).toEqual([true, true]);
  for (const text of [printed, ...reports]) for (const line of lines) expect(text).not.toContain(line);
});

test("a certificate that cannot be served is refused", async () => {
  const pair = { cert: certificateFile("server.crt"), key: certificateFile("a.example.key") };
  await expect(serve(echo, { port: 0, tls: pair })).rejects.toThrow("is not the key of the certificate");
});
