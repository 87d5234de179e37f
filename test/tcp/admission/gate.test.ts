/** Who is admitted, over sockets: networks, connections and rate of an address, with and without a PROXY header. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { defineProtocol, encodeProxyHeader, lines, type ServeOptions } from "../../../src/index.js";
import { closedAs, connected, serving } from "../../support/serving.js";
import { until } from "../../support/until.js";

const echo = defineProtocol({
  name: "echo",
  framing: lines(),
  states: { ready: { frame: (conn, line) => conn.send(line) } },
});

/** The client, if it is served. A client that is reset at once may see that as a failed connect. */
const echoes = async (server: { readonly port: number }, prefix: Buffer | string = "") => {
  const client = await connected(server).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ECONNRESET") throw error;
    return undefined;
  });
  if (!client) return undefined;
  client.write(Buffer.concat([Buffer.from(prefix), Buffer.from("hi\n")]));
  await until(() => client.bytes.includes("hi\n") || client.closed || client.ended);
  return client.bytes.includes("hi\n") ? client : undefined;
};

const from = (address: string) =>
  encodeProxyHeader({
    source: { address, port: 4000 },
    destination: { address: address.includes(":") ? "::1" : "192.0.2.1", port: 443 },
  });

describe.each(["handle", "stream"] as const)("over %s", (transport) => {
  test("a client of a denied network is reset and counted, and others are served", async () => {
    const denied = await serving(echo, { transport, deny: ["127.0.0.0/8"] });
    expect(await echoes(denied)).toBeUndefined();
    await until(() => denied.counters.refused.denied === 1);
    expect(denied.counters.accepted).toBe(0);
    const allowed = await serving(echo, { transport, allow: ["127.0.0.1", "::1"] });
    expect(await echoes(allowed)).toBeDefined();
    expect(await echoes(await serving(echo, { transport, allow: ["10.0.0.0/8"] }))).toBeUndefined();
  });

  test("an address has at most so many connections, and may connect again when one has ended", async () => {
    const server = await serving(echo, { transport, maxPerAddress: 2 });
    const [first] = [await echoes(server), await echoes(server)];
    expect(await echoes(server)).toBeUndefined();
    expect(server.counters).toMatchObject({ active: 2, accepted: 2, refused: { address_connections: 1 } });
    await first?.close();
    await until(() => server.counters.active === 1);
    expect(await echoes(server)).toBeDefined();
  });

  test.each(["absolute", "relative"])(
    "over a UNIX socket (%s path) limits on addresses do not count, and networks admit it as unix",
    async (how) => {
      const folder = mkdtempSync(join(tmpdir(), "drover-gate-"));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const at = (name: string) =>
        how === "absolute" ? join(folder, name) : relative(".", join(folder, name));
      const open = async (name: string, options: Partial<ServeOptions>) => {
        const path = at(name);
        const server = await serving(echo, { transport, path, ...options });
        const client = connect({ path }).on("error", () => {});
        onTestFinished(() => void client.destroy());
        return { server, client };
      };
      const limited = await open("limited", { maxPerAddress: 1, addressRate: "0.001:1" });
      const second = connect({ path: at("limited") }).on("error", () => {});
      onTestFinished(() => void second.destroy());
      await until(() => limited.server.counters.active === 2);
      const denied = await open("denied", { allow: ["10.0.0.0/8"] });
      await until(() => denied.server.counters.refused.denied === 1);
      const allowed = await open("allowed", { allow: ["10.0.0.0/8", "unix"] });
      await until(() => allowed.server.counters.active === 1);
    },
  );

  test("behind a proxy the client's address counts, and its end is counted", async () => {
    const server = await serving(echo, {
      ...{ transport, proxy: { from: ["127.0.0.1"] } },
      ...{ maxPerAddress: 1, deny: ["198.51.100.0/24"] },
    });
    const first = await echoes(server, from("192.0.2.7"));
    expect(first).toBeDefined();
    expect(await echoes(server, from("192.0.2.7"))).toBeUndefined();
    expect(await echoes(server, from("192.0.2.8"))).toBeDefined();
    expect(await echoes(server, from("198.51.100.1"))).toBeUndefined();
    await first?.close();
    await until(() => server.counters.active === 1);
    expect(await echoes(server, from("192.0.2.7"))).toBeDefined();
    expect(server.counters.closed.address_refused).toBe(2);
  });
});

test("addresses of one /64 of IPv6 share its limit", async () => {
  const server = await serving(echo, { proxy: { from: ["127.0.0.1"] }, maxPerAddress: 1 });
  expect(await echoes(server, from("2001:db8::1"))).toBeDefined();
  expect(await echoes(server, from("2001:db8::ffff"))).toBeUndefined();
  expect(await echoes(server, from("2001:db8:0:1::1"))).toBeDefined();
});

test("a client above the rate of its address is refused, and banned for as long as is configured", async () => {
  const server = await serving(echo, { addressRate: "1:2", addressBan: "1h" });
  expect([await echoes(server), await echoes(server)].every(Boolean)).toBe(true);
  expect(await echoes(server)).toBeUndefined();
  expect(await echoes(server)).toBeUndefined();
  expect(server.counters.refused.address_rate).toBe(1);
});

test("a client that is not admitted, and one that has no room, give back their place", async () => {
  const server = await serving(echo, { maxPerAddress: 2, maxConnections: 1 });
  const first = await echoes(server);
  for (let n = 0; n < 5; n++) expect(await echoes(server)).toBeUndefined();
  expect(server.counters.refused).toMatchObject({ max_connections: 5, address_connections: 0 });
  await first?.close();
  expect(await closedAs(server)).toEqual({ closed: 1 });
});

test.each([
  ["allow", { allow: ["10.0.0.0/33"] }, /"allow" must be an array of networks or addresses such as/],
  ["deny", { deny: [] }, /"deny" must be an array of networks/],
  ["maxPerAddress", { maxPerAddress: 0 }, /"maxPerAddress" must be a whole number above 0/],
  ["addressRate", { addressRate: "0" }, /"addressRate" must be a number a second such as 10, or "10:50"/],
])("a wrong value of %s is refused with what to write instead", async (_name, options, message) => {
  await expect(serving(echo, options as never)).rejects.toThrow(message);
});
