/** AsyncLocalStorage: what the handlers of one connection enter is not seen by those of another. */
import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "vitest";
import { defineProtocol, exit, type Pid, packet, send } from "../../../src/index.js";
import type { Client } from "../../support/client.js";
import { connected, manualClock, serving } from "../../support/serving.js";
import { turn, until } from "../../support/until.js";

/** Every cell looks at what is entered, and enters the connection's own name. */
function watching() {
  const storage = new AsyncLocalStorage<string>();
  const foreign: string[] = [];
  const pids: Pid[] = [];
  let count = 0;
  const look = (conn: any, cell: string): void => {
    conn.data.name ??= `client ${++count}`;
    const seen = storage.getStore();
    if (seen !== undefined && seen !== conn.data.name) foreign.push(`${cell} of ${conn.data.name}: ${seen}`);
    storage.enterWith(conn.data.name);
  };
  const protocol = defineProtocol({
    name: "watching",
    framing: packet(2),
    data: () => ({ name: undefined as string | undefined }),
    states: {
      ready: {
        enter: (conn) => {
          pids.push(conn.pid);
          look(conn, "enter");
        },
        frame: (conn, frame) => {
          look(conn, "frame");
          conn.send(frame);
        },
        message: (conn, other?: Pid) => {
          look(conn, "message");
          if (other === undefined) return;
          exit(other, { shutdown: "told" });
          // What an ending connection enters is not seen here either.
          look(conn, "message, after an exit signal to another");
        },
        shutdown: (conn) => look(conn, "shutdown"),
        drained: (conn) => look(conn, "drained"),
        idle: { after: "10s", do: (conn) => look(conn, "idle") },
        leave: (conn) => look(conn, "leave"),
      },
    },
    limits: { highWater: 8 * 1024, lowWater: 4 * 1024 },
  });
  return { foreign, protocol, pids };
}

for (const transport of ["handle", "stream"] as const) {
  test(`${transport}: no cell sees what another connection has entered`, async () => {
    const clock = manualClock();
    const { foreign, protocol, pids } = watching();
    const server = await serving(protocol, { transport });
    const clients = [];
    for (let n = 0; n < 4; n++) clients.push(await connected(server));
    await until(() => pids.length === 4);
    // More frames than a turn has, from all of them at once.
    for (const client of clients) client.send(...new Array<string>(500).fill("x"));
    for (const client of clients) await client.receive(500);
    // Output that fills and drains, of several at once.
    for (const client of clients) client.send(...new Array<Buffer>(40).fill(Buffer.alloc(1_000)));
    for (const client of clients) await client.receive(540);
    for (let n = 0; n < 3; n++) for (const pid of pids) send(pid, undefined);
    await turn(10);
    await clock.advance(25_000);
    for (const client of clients.splice(0, 2)) client.finish();
    for (const client of clients) client.reset();
    await until(() => server.counters.active === 0);
    expect(foreign).toEqual([]);
  });
}

test("no cell sees what another connection has entered: exit signals and shutdown", async () => {
  const { foreign, protocol, pids } = watching();
  const server = await serving(protocol);
  const clients: Client[] = [];
  for (let n = 0; n < 4; n++) clients.push(await connected(server));
  await until(() => pids.length === 4);
  send(pids[0] as Pid, pids[1]);
  await until(() => server.counters.closed.stopped === 1 || clients.some(({ ended }) => ended));
  const stopped = server.stop();
  for (const client of clients) (await client.end()).finish();
  await stopped;
  expect(foreign).toEqual([]);
});
