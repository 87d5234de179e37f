/**
 * Chat: rooms over all workers of a server. A client says its name, is in the room `lobby`, and talks by lines.
 *
 *   greeting ──name──▶ talking ──/quit, silence──▶ end
 */
import { type Conn, defineProtocol, forward, groups, lines, next, stop } from "../index.js";

const rooms = groups<string>("room");
const NAME = /^[\p{L}\p{N}_-]{1,24}$/u;
const ROOM = /^[\p{L}\p{N}_-]{1,40}$/u;
const HELP = "* commands: /join ROOM, /who, /help, /quit; everything else is said in the room";

interface Guest {
  name: string;
  room: string;
}
type Chatter = Conn<Guest, string, never, string>;

function enter(conn: Chatter, room: string): void {
  conn.data.room = room;
  rooms(room).join(conn);
  conn.send(`* you are in ${room}`);
  rooms(room).send(`* ${conn.data.name} is here`, { except: conn });
}

function leave(conn: Chatter): void {
  const { name, room } = conn.data;
  rooms(room).leave(conn);
  rooms(room).send(`* ${name} leaves`);
}

async function who(conn: Chatter): Promise<void> {
  const count = await rooms(conn.data.room).count();
  conn.send(`* ${count} in ${conn.data.room}`);
}

function obey(conn: Chatter, command: string, argument: string) {
  switch (command) {
    case "join":
      if (!ROOM.test(argument)) return void conn.send("* a room has 1 to 40 letters, digits, _ or -");
      if (argument !== conn.data.room) {
        leave(conn);
        enter(conn, argument);
      }
      return;
    case "who":
      return who(conn);
    case "quit":
      return stop("quit");
    default:
      return void conn.send(HELP);
  }
}

export default defineProtocol({
  name: "chat",
  framing: lines({ maxLength: 1024 }),
  takes: rooms,
  data: (): Guest => ({ name: "", room: "lobby" }),
  states: {
    greeting: {
      enter: (conn) => conn.send("* what is your name?"),
      timeout: { after: "30s", do: stop("no_name") },
      frame: (conn, line) => {
        const name = line.trim();
        if (!NAME.test(name)) return conn.send("* a name has 1 to 24 letters, digits, _ or -");
        conn.data.name = name;
        return next("talking");
      },
    },
    talking: {
      enter: (conn) => enter(conn, conn.data.room),
      frame: (conn, line) => {
        const command = /^\/(\w+) *(.*?) *$/.exec(line);
        if (command) return obey(conn, command[1] as string, command[2] as string);
        const { name, room } = conn.data;
        rooms(room).send(`${name}: ${line}`, { except: conn });
      },
      // To the client as it is: encoded once for all members of a worker.
      message: forward,
      idle: { after: "30m", do: stop("idle") },
      shutdown: (conn) => {
        conn.send("* the server goes down");
      },
      // However it ends: by /quit, by closing, or by a crash.
      leave,
    },
  },
});
