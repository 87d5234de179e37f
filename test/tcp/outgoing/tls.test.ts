/** Outgoing TLS: always verified, chain and name; PROXY header before it; sessions resumed. */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { connect, defineProtocol, exit, lines, type Pid, stop } from "../../../src/index.js";
import { processOf } from "../../../src/otp/process/process.js";
import { certificateFile } from "../../support/certificates/certificates.js";
import { serving } from "../../support/serving.js";
import { until } from "../../support/until.js";

/** Greets at once: its first bytes may come with the end of the handshake. */
const greeter = defineProtocol({
  name: "greeter",
  framing: lines(),
  states: {
    open: {
      enter: (conn) => conn.send(`hello from ${conn.peer.address}`),
      frame: (conn, line) => conn.send(line.toUpperCase()),
    },
  },
});

const client = defineProtocol({
  name: "tls-client",
  framing: lines(),
  data: () => ({ heard: [] as string[] }),
  states: {
    open: {
      enter: (conn) => conn.send("over tls"),
      frame: (conn, line) => void conn.data.heard.push(line),
      ended: () => stop(),
    },
  },
});

const heardBy = (pid: Pid) => (processOf(pid) as unknown as { data: { heard: string[] } }).data.heard;
const tlsOf = (pid: Pid) =>
  (
    processOf(pid) as unknown as {
      tls: { protocol: string; resumed: boolean; alpn: string; client: { commonName: string } };
    }
  ).tls;

function mine(pid: Pid): Pid {
  onTestFinished(() => exit(pid, "kill"));
  return pid;
}

const SERVER = { cert: certificateFile("server.crt"), key: certificateFile("server.key") };
const ca = certificateFile("ca.crt");

test.each(["handle", "stream"] as const)(
  "speaks TLS to a server that an own authority has certified (%s)",
  async (transport) => {
    const { port } = await serving(greeter, { tls: { ...SERVER, alpn: ["shout"] }, transport });
    const pid = mine(
      await connect(client, { host: "localhost", port, tls: { ca, alpn: ["shout"] }, transport }),
    );
    await until(() => heardBy(pid).length === 2);
    expect(heardBy(pid)).toEqual(["hello from 127.0.0.1", "OVER TLS"]);
    expect(tlsOf(pid)).toMatchObject({ protocol: "TLSv1.3", alpn: "shout" });
  },
);

test.each(["handle", "stream"] as const)(
  "a second connection with the same options resumes the session (%s)",
  async (transport) => {
    const { port } = await serving(greeter, { tls: SERVER, transport });
    const options = { host: "localhost", port, tls: { ca }, transport };
    const first = mine(await connect(client, options));
    await until(() => heardBy(first).length === 2);
    const second = mine(await connect(client, options));
    await until(() => heardBy(second).length === 2);
    expect([tlsOf(first).resumed, tlsOf(second).resumed]).toEqual([false, true]);
  },
);

test.each([
  ["an unknown authority", {}, "server", "localhost"],
  ["another name", { ca }, "server", "wrong.example"],
  ["an expired certificate", { ca }, "server-expired", "localhost"],
])("%s is tls_refused", async (_what, tls, name, serverName) => {
  const served = { cert: certificateFile(`${name}.crt`), key: certificateFile(`${name}.key`) };
  const { port, counters } = await serving(greeter, { tls: served });
  for (const transport of ["handle", "stream"] as const) {
    const refused = await connect(client, { port, tls: { ...tls, serverName }, transport }).catch(
      (error) => error,
    );
    expect([transport, refused.code]).toEqual([transport, "tls_refused"]);
    expect(refused.message).toMatch(new RegExp(`^TLS with 127\\.0\\.0\\.1:${port}: `));
  }
  await until(() => counters.active === 0);
});

test("a server that speaks no TLS is tls_error", async () => {
  const server = createServer((socket) => socket.on("error", () => {}).end("220 welcome\r\n")).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  for (const transport of ["handle", "stream"] as const)
    await expect(connect(client, { port, tls: { ca }, transport })).rejects.toMatchObject({
      code: "tls_error",
    });
});

test("a server that asks for a certificate gets it", async () => {
  const { port } = await serving(greeter, { tls: { ...SERVER, ca, clientCerts: "required" } });
  const tls = { ca, cert: certificateFile("client.crt"), key: certificateFile("client.key") };
  const pid = mine(await connect(client, { host: "localhost", port, tls }));
  await until(() => heardBy(pid).length === 2);
});

test("a PROXY header goes before TLS, and the server sees the client that it names", async () => {
  const { port } = await serving(greeter, { tls: SERVER, proxy: { from: ["127.0.0.1"] } });
  const proxy = {
    source: { address: "192.0.2.7", port: 4711 },
    destination: { address: "192.0.2.1", port: 443 },
  };
  for (const transport of ["handle", "stream"] as const) {
    const pid = mine(await connect(client, { host: "localhost", port, tls: { ca }, proxy, transport }));
    await until(() => heardBy(pid).length === 2);
    expect(heardBy(pid)[0]).toBe("hello from 192.0.2.7");
  }
});

test.each([
  [{ ca: "/no/such.pem" }, /^tls\.ca: \/no\/such\.pem: /],
  [{ cert: certificateFile("client.crt") }, /^tls\.key: is missing/],
  [
    { cert: certificateFile("client.crt"), key: certificateFile("server.key") },
    /^tls\.key: .*server\.key: is not the key of the certificate in .*client\.crt$/,
  ],
  [{ ca: certificateFile("server.key") }, /^tls\.ca: .*server\.key: has no certificate/],
])("bad credentials are refused with their place: %#", async (tls, message) => {
  await expect(connect(client, { port: 1, tls })).rejects.toThrow(message);
});
