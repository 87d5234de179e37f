/** ALPN: the protocol of a connection is the one that its TLS handshake agrees on. */
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { defineProtocol, packet, type ServeOptions, serve } from "../../../src/index.js";
import { agreedProtocol } from "../../../src/tcp/opening/alpn.js";
import { CompiledProtocol } from "../../../src/tcp/protocol/compiled/compiled-protocol.js";
import { certificateFile } from "../../support/certificates/certificates.js";
import { TlsClient } from "../../support/tls-client.js";

/** Tells its name, the name that was agreed on, and the data that it began with. */
const named = (name: string, framing = packet(2)) =>
  defineProtocol({
    name,
    framing,
    data: () => ({ of: name }),
    states: {
      speaking: {
        frame: (conn, frame) => conn.send(`${name} ${conn.tls?.alpn} ${conn.data.of} ${conn.state} ${frame}`),
      },
    },
  });

const tls = { cert: certificateFile("server.crt"), key: certificateFile("server.key") };
const [plain, chat, ops] = [named("plain"), named("chat"), named("ops")];

async function answer(port: number, names: string[] | undefined): Promise<string> {
  const client = await TlsClient.secure(port, names && { ALPNProtocols: names });
  onTestFinished(async () => void (await client.close()));
  const [frame] = await client.send("x").receive();
  return frame ?? "";
}

describe.each(["handle", "stream"] as const)("on %s", (transport) => {
  test("each client gets the protocol that it names, others the listener's own", async () => {
    const options: ServeOptions = { port: 0, transport, tls, alpn: { "chat/1": chat, "ops/1": ops } };
    const { port, stop } = await serve(plain, options);
    onTestFinished(stop);
    expect(await answer(port, ["ops/1"])).toBe("ops ops/1 ops speaking x");
    expect(await answer(port, ["chat/1", "ops/1"])).toBe("chat chat/1 chat speaking x");
    expect(await answer(port, undefined)).toBe("plain undefined plain speaking x");
    const refused = await TlsClient.begin(port, { ALPNProtocols: ["other"] });
    const [error] = await once(refused.socket, "error");
    expect((error as Error).message).toContain("no application protocol");
  });
});

test("without a protocol for clients that name none, there is none to take", () => {
  const [one, other] = [new CompiledProtocol(chat), new CompiledProtocol(ops)];
  const byName = new Map([["chat/1", one]]);
  expect(agreedProtocol({ byName, fallback: undefined }, undefined)).toBe(undefined);
  expect(agreedProtocol({ byName, fallback: undefined }, "chat/1")).toBe(one);
  expect(agreedProtocol({ byName, fallback: other }, undefined)).toBe(other);
});

test("alpn without TLS is refused", async () => {
  await expect(serve(plain, { port: 0, alpn: { chat } })).rejects.toThrow(
    'serve: "alpn" is agreed on in the TLS handshake, which must come first: set "tls" as well',
  );
});
