/** `serve` on a UNIX socket. */
import { existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { defineProtocol, packet, serve } from "../../../src/index.js";
import { Client } from "../../support/client.js";
import { serving } from "../../support/serving.js";
import { until } from "../../support/until.js";

const whoami = defineProtocol({
  name: "whoami",
  framing: packet(2),
  data: (peer) => peer,
  states: { ready: { frame: (conn) => conn.send(Buffer.from(JSON.stringify([conn.data, conn.peer]))) } },
});

function socketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "serve-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "x.sock");
}

test.each(["handle", "stream"] as const)(
  "serves on a UNIX socket (%s), and removes it at the end",
  async (transport) => {
    const path = socketPath();
    const server = await serving(whoami, { path, mode: "0660", transport });
    expect([server.host, server.port, server.address]).toEqual([path, 0, path]);
    expect(lstatSync(path).mode & 0o777).toBe(0o660);
    const client = await Client.connectTo(path);
    const peer = { address: path, port: 0 };
    expect(JSON.parse((await client.send("?").receive())[0] as string)).toEqual([peer, peer]);
    await client.close();
    await until(() => server.counters.active === 0);
    await server.stop();
    expect(existsSync(path)).toBe(false);
  },
);

test("what is in the way is an error that says what to do", async () => {
  const path = socketPath();
  writeFileSync(path, "precious");
  await expect(serve(whoami, { path })).rejects.toMatchObject({
    code: "EEXIST",
    message: `UNIX socket ${path}: exists and is not a socket: remove it, or choose another path`,
  });
});

test.each([
  [{}, 'serve: "port" is missing: give a whole number from 0 (any free port) to 65535'],
  [{ path: "/x", port: 1 }, 'serve: "path" and "port" are two addresses: remove one of them'],
  [{ path: "/x", host: "::1" }, 'serve: "path" and "host" are two addresses: remove one of them'],
  [{ port: 1, mode: 0o660 }, 'serve: "mode" is of a UNIX socket: set "path" as well, or remove it'],
  [
    { path: "/x", mode: "rw" },
    'serve: "mode" must be permissions such as "0660" or 0o660, at most 0777, got "rw"',
  ],
  [{ path: "/x", group: "" }, 'serve: "group" must be the name or number of a group, got ""'],
])("%o is refused", async (options, message) => {
  await expect(serve(whoami, options)).rejects.toThrow(new TypeError(message));
});
