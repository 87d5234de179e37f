/** The peer of a connection: known to the end, in one form, and a plain object. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { defineProtocol, packet } from "../../../src/index.js";
import { packPeer, unpackPeer } from "../../../src/transport/peer.js";
import { Client } from "../../support/client.js";
import { connected, serving } from "../../support/serving.js";
import { until } from "../../support/until.js";

for (const transport of ["handle", "stream"] as const) {
  test(`${transport}: the peer is known in leave and terminate after a reset`, async () => {
    const seen: string[] = [];
    const server = await serving(
      defineProtocol({
        name: "peer",
        framing: packet(2),
        states: {
          ready: {
            frame: (conn, frame) => conn.send(frame),
            leave: (conn) => void seen.push(conn.peer.address),
          },
        },
        terminate: (conn) => void seen.push(conn.peer.address),
      }),
      { transport },
    );
    const client = await connected(server);
    await client.send("x").receive(1);
    client.reset();
    await until(() => seen.length === 2);
    expect(seen).toEqual(["127.0.0.1", "127.0.0.1"]);
  });

  test(`${transport}: a client of IPv4 has the same address on :: as on 0.0.0.0`, async () => {
    const server = await serving(
      defineProtocol({
        name: "who",
        framing: packet(2),
        data: (peer) => ({ peer }),
        states: {
          ready: { frame: (conn) => conn.send(JSON.stringify([conn.peer.address, { ...conn.data.peer }])) },
        },
      }),
      { transport, host: "::" },
    );
    const client = await Client.connect(server.port);
    const [answer] = await client.send("?").receive(1);
    const { localPort } = client.socket;
    await client.close();
    expect(JSON.parse(answer as string)).toEqual(["127.0.0.1", { address: "127.0.0.1", port: localPort }]);
  });
}

test("an address is the same after it was packed", () => {
  const port = fc.nat(65535);
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), port, (address, port) => {
      expect(unpackPeer(packPeer(address, port))).toEqual({ address, port });
    }),
    {
      examples: [
        ["255.255.255.255", 65535],
        ["0.0.0.0", 0],
      ],
    },
  );
  expect(unpackPeer(packPeer("::ffff:10.1.2.3", 7))).toEqual({ address: "10.1.2.3", port: 7 });
});
