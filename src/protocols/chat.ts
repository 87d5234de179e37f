/**
 * Chat: rooms over all workers of a server. A client says its name, is in the room `lobby`, and talks by lines. Who comes
 * and goes is known by presence: also who crashes, or is cut off with its worker.
 *
 *   greeting ──name──▶ talking ──/quit, silence──▶ end
 */
import { type Conn, defineProtocol, forward, groups, lines, next, type Presence, stop } from "../index.js";

const rooms = groups<string>("room", { presence: true });
const NAME = /^[\p{L}\p{N}_-]{1,24}$/u;
const ROOM = /^[\p{L}\p{N}_-]{1,40}$/u;
const HELP = "* commands: /join ROOM, /who, /help, /quit; everything else is said in the room";

/** Bytes of a line, and of the names in one. */
const MAX_LINE = 1_024;
const MOST_NAMES = 900;
const TOO_LONG = `* a line has at most ${MAX_LINE} bytes, with your name: this one was not sent`;

interface Guest {
  name: string;
  room: string;
}
type Chatter = Conn<Guest, string, never, string>;

function enter(conn: Chatter, room: string): void {
  conn.data.room = room;
  rooms(room).join(conn, { key: conn.data.name });
  conn.send(`* you are in ${room}`);
}

/** Names in one line: as many as may be in it. */
function listed(names: readonly string[]): string {
  let bytes = 0;
  const more = names.findIndex((name) => (bytes += Buffer.byteLength(name) + 2) > MOST_NAMES);
  return more === -1 ? names.join(", ") : `${names.slice(0, more).join(", ")}, …`;
}

function presence(conn: Chatter, { group, initial, joined, left }: Presence): void {
  // An event of the room that it has just left.
  if (group !== rooms(conn.data.room).name) return;
  const others = joined.filter(({ pid }) => String(pid) !== String(conn.pid)).map(({ key }) => key);
  if (others.length > 0) conn.send(initial ? `* here: ${listed(others)}` : `* ${listed(others)} came`);
  const [gone, lost] = (["left", "node_down"] as const).map((reason) =>
    left.flatMap(({ key, why }) => (why === reason ? key : [])),
  ) as [string[], string[]];
  if (gone.length > 0) conn.send(`* ${listed(gone)} left`);
  if (lost.length > 0) conn.send(`* ${listed(lost)} cannot be reached`);
}

async function who(conn: Chatter): Promise<void> {
  const room = rooms(conn.data.room);
  try {
    const count = await room.count();
    // Of a larger room there is no list.
    const names = count <= 1_000 ? (await room.members()).map(({ key }) => key) : [];
    conn.send(`* ${count} in ${conn.data.room}${names.length > 0 ? `: ${listed(names)}` : ""}`);
  } catch {
    // The exchange is away, or the 1,001st has come between the two questions.
    conn.send("* the members cannot be listed now: try again");
  }
}

function obey(conn: Chatter, command: string, argument: string) {
  switch (command) {
    case "join":
      if (!ROOM.test(argument)) return void conn.send("* a room has 1 to 40 letters, digits, _ or -");
      if (argument !== conn.data.room) {
        rooms(conn.data.room).leave(conn);
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
  framing: lines({ maxLength: MAX_LINE }),
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
        const said = `${conn.data.name}: ${line}`;
        if (Buffer.byteLength(said) > MAX_LINE) return conn.send(TOO_LONG);
        rooms(conn.data.room).send(said, { except: conn });
      },
      // To the client as it is: encoded once for all members of a worker.
      message: forward,
      presence,
      idle: { after: "30m", do: stop("idle") },
      shutdown: (conn) => {
        conn.send("* the server goes down");
      },
    },
  },
});
