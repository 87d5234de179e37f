// The servers of the groups benchmark: each has two workers, and publishes to its 1,000 members when a client asks.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Contestant, isInstalled, WORKERS } from "../compare/servers.js";

/** Bytes of a message. */
export const BODY = 64;

const ROOM = `
import { defineProtocol, forward, groups, next, packet } from "drover";
const rooms = groups<Uint8Array>("bench");
const body = Buffer.alloc(${BODY}, "x");
const publish = (room: string, count: number) => {
  for (let at = 0; at < count; at++) rooms(room).send(body);
};
const idle = { after: Infinity, do: next("ready") };
export default defineProtocol({
  name: "room",
  framing: packet(2),
  takes: rooms,
  data: () => ({ left: 0, room: "" }),
  states: {
    ready: {
      idle,
      frame: (conn, frame) => {
        const [what, room = "", count = ""] = String(frame).split(" ");
        if (what === "go") return publish(room, Number(count));
        if (what === "who") return conn.send(String(conn.pid));
        conn.data.room = room + count;
        rooms(conn.data.room).join(conn);
        conn.send("ok");
        return next(what as "forwards");
      },
    },
    forwards: { idle, message: forward },
    handles: { idle, message: (conn, message) => conn.send(message as Buffer) },
    // Publishes eight messages, and answers when it has got them itself.
    echoes: {
      idle,
      frame: (conn) => {
        conn.data.left = 8;
        publish(conn.data.room, 8);
      },
      message: (conn) => {
        if (--conn.data.left === 0) conn.send("8");
      },
    },
  },
});
`;

/**
 * @param protocol source of it
 * @param flags besides the usual ones
 */
export const drover = (
  main: string,
  protocol = ROOM,
  flags: readonly string[] = [],
  workers = WORKERS,
  host = "127.0.0.1",
): Contestant => ({
  ...{ name: "drover", about: "transport handle" },
  command: (port, folder) => {
    writeFileSync(join(folder, "room.ts"), protocol);
    return [
      ...[process.execPath, main, "start", "./room.ts", "--host", host, "--port", `${port}`],
      ...[
        "--workers",
        `${workers}`,
        ...flags,
        "--admin-port",
        "0",
        "--log-level",
        "fatal",
        "--backlog",
        "4096",
      ],
    ];
  },
});

const SOCKET_IO = `
const cluster = require("node:cluster");
const { Server } = require("socket.io");
const [port, adapter, redisPort] = process.argv.slice(2);
const body = "x".repeat(${BODY});
async function serve() {
  const http = require("node:http").createServer();
  const io = new Server(http, { transports: ["websocket"], pingInterval: 3_600_000, serveClient: false });
  if (adapter === "cluster") io.adapter(require("@socket.io/cluster-adapter").createAdapter());
  else {
    const pub = require("redis").createClient({ url: "redis://127.0.0.1:" + redisPort });
    const sub = pub.duplicate();
    // They try again until redis-server is there.
    for (const client of [pub, sub]) client.on("error", () => {});
    await Promise.all([pub.connect(), sub.connect()]);
    io.adapter(require("@socket.io/redis-adapter").createAdapter(pub, sub));
  }
  io.on("connection", (socket) => {
    socket.on("join", (room) => {
      socket.join(room);
      socket.emit("ok");
    });
    socket.on("go", (room, count) => {
      for (let at = 0; at < count; at++) io.to(room).emit("m", body);
    });
  });
  http.listen(Number(port), "127.0.0.1", 4096);
}
if (cluster.isPrimary) {
  cluster.setupPrimary({ serialization: "advanced" });
  if (adapter === "cluster") require("@socket.io/cluster-adapter").setupPrimary();
  else require("node:child_process").spawn("redis-server", ["--port", redisPort, "--bind", "127.0.0.1", "--save", ""], { stdio: "ignore" });
  setTimeout(() => { for (let at = 0; at < ${WORKERS}; at++) cluster.fork(); }, 500);
} else void serve();
`;

/** @param peers folder in which npm has installed it */
export function socketIo(peers: string, adapter: "cluster" | "redis"): Contestant | undefined {
  if (adapter === "redis" && !isInstalled({ needs: "redis-server" })) return undefined;
  return {
    ...{ name: `socket.io, ${adapter} adapter`, about: "transport websocket" },
    command: (port) => {
      const script = join(peers, "server.cjs");
      writeFileSync(script, SOCKET_IO);
      return [process.execPath, script, `${port}`, adapter, `${port === 65_535 ? 1_025 : port + 1}`];
    },
  };
}

export function nats(): Contestant | undefined {
  if (!isInstalled({ needs: "nats-server" })) return undefined;
  return {
    ...{ name: "NATS", about: "nats-server alone, with plain clients" },
    command: (port) => ["nats-server", "-a", "127.0.0.1", "-p", `${port}`],
  };
}
