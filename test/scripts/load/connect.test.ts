// How connections get to the server: TLS, PROXY headers, source addresses, several targets.
import { describe, expect, it } from "vitest";
import { runLoad } from "../../../scripts/load/generator/run.js";
import { CERTIFICATE } from "../certificate.js";
import { echo, errorsOf, listen, secureEcho } from "../servers.js";

const load = { connections: 4, frames: 400, window: 8 };

describe("over TLS", () => {
  it("verifies every byte with an authority of one's own, or without verifying the certificate", async () => {
    await using server = await secureEcho();
    for (const tls of [{ ca: CERTIFICATE, verify: true }, { verify: false }]) {
      const result = await runLoad({ port: server.port, host: "localhost", tls, ...load });
      expect(errorsOf(result)).toEqual({});
      expect(result.tally.echoed).toBe(400);
    }
  });

  it("refuses a certificate that it cannot verify, and says what to type", async () => {
    await using server = await secureEcho();
    const result = await runLoad({ port: server.port, tls: { verify: true }, ...load });
    expect(errorsOf(result)).toEqual({ connectFailed: 4 });
    expect(result.tally.samples[0]!.what).toContain("--insecure");
  });

  it("counts a server that does not speak TLS as a failed connect", async () => {
    await using server = await echo();
    const result = await runLoad({
      port: server.port,
      tls: { verify: false },
      ...load,
      connectTimeoutMs: 10_000,
    });
    expect(errorsOf(result)).toEqual({ connectFailed: 4 });
  });
});

describe("with a PROXY header", () => {
  it("sends version 1 as text, before the first frame", async () => {
    const headers: string[] = [];
    await using server = await listen((socket) => {
      socket.once("data", (chunk: Buffer) => {
        const end = chunk.indexOf("\n") + 1;
        headers.push(chunk.subarray(0, end).toString().replace(`${socket.remotePort}`, "PORT"));
        socket.write(chunk.subarray(end));
        socket.pipe(socket);
      });
    });
    const result = await runLoad({ port: server.port, proxy: 1, ...load });
    expect(errorsOf(result)).toEqual({});
    expect(result.tally.echoed).toBe(400);
    const header = `PROXY TCP4 127.0.0.1 127.0.0.1 PORT ${server.port}\r\n`;
    expect(headers).toEqual([header, header, header, header]);
  });

  it("sends version 2 as bytes, before the handshake of TLS", async () => {
    await using server = await secureEcho(28);
    const result = await runLoad({ port: server.port, proxy: 2, tls: { verify: false }, ...load });
    expect(errorsOf(result)).toEqual({});
    expect(server.headers).toHaveLength(4);
    const to = server.port.toString(16).padStart(4, "0");
    const header = new RegExp(`^0d0a0d0a000d0a515549540a2111000c7f0000017f000001[0-9a-f]{4}${to}$`);
    for (const seen of server.headers) expect(seen.toString("hex")).toMatch(header);
  });
});

describe("from and to several addresses", () => {
  it("takes source addresses in turn", async () => {
    const seen: (string | undefined)[] = [];
    await using server = await listen((socket) => {
      seen.push(socket.remoteAddress);
      socket.pipe(socket);
    });
    const source = { first: 0x7f000005, count: 3 };
    const result = await runLoad({ port: server.port, source, ...load });
    expect(errorsOf(result)).toEqual({});
    expect(seen.sort()).toEqual(["127.0.0.5", "127.0.0.5", "127.0.0.6", "127.0.0.7"]);
  });

  it("takes targets in turn", async () => {
    await using one = await echo();
    await using other = await echo();
    const targets = [one, other].map(({ port }) => ({ host: "127.0.0.1", port }));
    const result = await runLoad({ port: one.port, targets, ...load });
    expect(errorsOf(result)).toEqual({});
    expect([one.sockets.length, other.sockets.length]).toEqual([2, 2]);
  });
});
