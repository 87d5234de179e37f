/** Compiled, not run: what the compiler knows of the messages of groups. */
import {
  type Conn,
  defineProtocol,
  forward,
  group,
  groups,
  lines,
  next,
  packet,
  type Receives,
  stop,
} from "../../src/index.js";

const lobby = group<string>("lobby");

/** Nothing is annotated: `takes` types the messages, and `forward` fits because messages are frames. */
export const chat = defineProtocol({
  name: "chat",
  framing: lines(),
  takes: lobby,
  data: () => ({ name: "" }),
  states: {
    greeting: {
      frame: (conn, line) => {
        conn.data.name = line;
        return next("talking");
      },
    },
    talking: {
      enter: (conn) => {
        lobby.join(conn);
        lobby.send(`* ${conn.data.name} is here`, { except: conn });
      },
      frame: (conn, line) =>
        line === "/quit" ? stop() : lobby.send(`${conn.data.name}: ${line}`, { except: conn }),
      message: forward,
      leave: (conn) => lobby.leave(conn),
    },
  },
});

const rooms = groups<{ readonly text: string; readonly at: number }>("room");
const counts = group<number>("counts");

export const two = defineProtocol({
  name: "two",
  framing: lines(),
  takes: [rooms, counts],
  states: {
    s: {
      enter: (conn) => {
        rooms("general").join(conn);
        counts.join(conn);
        // @ts-expect-error it does not take those of the lobby
        lobby.join(conn);
        const missed: number = conn.missed;
        void missed;
      },
      message: (conn, message) => conn.send(typeof message === "number" ? String(message) : message.text),
    },
    t: {
      // @ts-expect-error these are no frames of lines()
      message: forward,
    },
  },
});

const frames = group<Uint8Array>("f");
defineProtocol({
  name: "z",
  framing: packet(2),
  takes: frames,
  states: { s: { enter: (conn) => frames.join(conn), message: forward } },
});

interface Tick {
  readonly tick: number;
}
/** Without `takes`, messages of other processes are annotated where they are handled. */
defineProtocol({
  name: "x",
  framing: lines(),
  states: {
    s: {
      enter: (conn) => {
        // @ts-expect-error this protocol takes none
        counts.join(conn);
        // By its pid any process joins: of that the compiler knows nothing.
        counts.join(conn.pid);
      },
      message: (conn, message: Tick) => conn.send(String(message.tick)),
    },
    t: {
      message: (conn, message) => {
        // @ts-expect-error nothing is known of it
        conn.send(message);
      },
    },
  },
});

/** A helper for connections of any protocol takes them all. */
export const say = (conn: Conn<unknown, string>): boolean => conn.send("hello");

// @ts-expect-error not portable
group<Date>("x");
// @ts-expect-error not portable
group<() => void>("x");
// @ts-expect-error a number is expected
counts.send("one");
// @ts-expect-error no such option
group<string>("x", { slow: "wait" });

/** Presence: members say who they are, and the cell knows what it gets. */
const present = groups<{ readonly text: string }>("present", { presence: true, gather: "10ms" });

export const rooms2 = defineProtocol({
  name: "present",
  framing: lines(),
  takes: present,
  states: {
    s: {
      enter: async (conn) => {
        present("general").join(conn, { key: "anna", info: { age: 3 } });
        present("general").join(conn, { key: "anna" });
        // @ts-expect-error in a group with presence a member says who it is
        present("general").join(conn);
        // @ts-expect-error key is a string
        present("general").join(conn, { key: 7 });
        // @ts-expect-error info is JSON
        present("general").join(conn, { key: "anna", info: new Map() });
        // @ts-expect-error it does not take those of the lobby
        lobby.join(conn);
        const keys: readonly string[] = (await present("general").members()).map(({ key }) => key);
        void keys;
      },
      message: (conn, message) => conn.send(message.text),
      presence: (conn, change) => {
        conn.send(`${change.group}: ${change.joined.length} came`);
        for (const { key, why } of change.left) conn.send(`${key} ${why === "node_down" ? "lost" : "left"}`);
        // @ts-expect-error there is no such reason
        if (change.left[0]?.why === "crash") return;
        // @ts-expect-error it cannot be changed
        change.joined.push();
      },
    },
  },
});

// @ts-expect-error without presence a member says nothing of itself
lobby.join({} as Receives<string>, { key: "anna" });
// @ts-expect-error without presence members have no key
void lobby.members().then(([member]) => member?.key);
// @ts-expect-error a duration
group<string>("x", { gather: "soon" });
// @ts-expect-error a boolean
group<string>("x", { presence: "yes" });
// @ts-expect-error with presence not portable either
group<Date>("x", { presence: true });
