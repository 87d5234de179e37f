/**
 * RESP: a store that Redis clients talk to: strings, counters, lists, hashes, sets, expiry, transactions. Its data is in
 * the memory of one worker, and is gone with it.
 *
 *   ready ──MULTI──▶ queueing ──EXEC, DISCARD──▶ ready
 */
import * as v from "valibot";
import {
  type Conn,
  defineProtocol,
  FramingError,
  next,
  RespError,
  type RespValue,
  resp,
  stop,
} from "../index.js";
import { collections } from "./resp/collections.js";
import { type Command, id } from "./resp/command.js";
import { keys } from "./resp/keys.js";
import { server, VERSION } from "./resp/server.js";
import { CommandError, Store } from "./resp/store.js";
import { strings } from "./resp/strings.js";

const store = new Store();
const commands = new Map<string, Command>(Object.entries({ ...strings, ...collections, ...keys, ...server }));
const MAX_LENGTH = 8 * 1024 * 1024;
const versions = { 2: resp({ maxLength: MAX_LENGTH }), 3: resp({ maxLength: MAX_LENGTH, version: 3 }) };

interface Client {
  /** Commands between MULTI and EXEC, and how many bytes they have. */
  queue: Buffer[][];
  bytes: number;
  /** One of them was wrong: EXEC runs none. */
  failed: boolean;
}
type Connection = Conn<Client, RespValue, never, never, never, Buffer[]>;

/** Removes keys that have expired, and looks at the memory: ten times a second costs less than with each command. */
function watch(maxMemory: number): void {
  store.sweep();
  store.full = process.memoryUsage.rss() > maxMemory * 1024 * 1024;
}

const nameOf = (words: Buffer[]): string => id(words[0] as Buffer).toUpperCase();

/** @throws CommandError when there is no such command, or not with so many words */
function commandOf(words: Buffer[]): Command {
  const command = commands.get(id(words[0] as Buffer)) ?? commands.get(nameOf(words));
  if (command === undefined) throw new CommandError(unknown(words));
  const [arity, , grows] = command;
  if (arity > 0 ? words.length !== arity : words.length < -arity) throw new CommandError(wrongNumber(words));
  if (grows && store.full) throw new CommandError("OOM command not allowed when used memory > 'maxmemory'.");
  return command;
}

function unknown([name, ...rest]: Buffer[]): string {
  let shown = "";
  for (const word of rest) if (shown.length < 128) shown += `'${String(word).slice(0, 128 - shown.length)}' `;
  return `ERR unknown command '${String(name).slice(0, 128)}', with args beginning with: ${shown}`;
}

const wrongNumber = (words: Buffer[]): string =>
  `ERR wrong number of arguments for '${String(words[0]).toLowerCase()}' command`;

function run(words: Buffer[]): RespValue {
  try {
    return commandOf(words)[1](store, ...words.slice(1));
  } catch (error) {
    return replyOf(error);
  }
}

/** Anything but a `CommandError` is a fault of the store: it is thrown on, and ends this client with a report. */
function replyOf(error: unknown): RespError {
  if (error instanceof CommandError) return new RespError(error.message.replace(/[\r\n]/g, " "));
  throw error;
}

function send(conn: Connection, reply: RespValue): void {
  try {
    conn.send(reply);
  } catch (error) {
    if (!(error instanceof FramingError)) throw error;
    conn.send(new RespError(`ERR the reply has more than ${MAX_LENGTH} bytes`));
  }
}

/** `HELLO [2 | 3]`: the version of the protocol in which the server answers from now on. */
function hello(conn: Connection, version?: Buffer): void {
  const proto = Number(version ?? 2);
  if (proto !== 2 && proto !== 3)
    return void conn.send(new RespError("NOPROTO unsupported protocol version"));
  conn.setFraming(versions[proto]);
  const facts = { server: "redis", version: VERSION, proto, mode: "standalone", role: "master", modules: [] };
  conn.send(new Map(Object.entries(facts).map(([key, value]) => [Buffer.from(key), bulk(value)])));
}

const bulk = (value: RespValue): RespValue => (typeof value === "string" ? Buffer.from(value) : value);

function enqueue({ data }: Connection, words: Buffer[]): RespValue {
  try {
    commandOf(words);
    for (const word of words) data.bytes += word.length;
    if (data.bytes > MAX_LENGTH) throw new CommandError(`ERR a transaction has at most ${MAX_LENGTH} bytes`);
    data.queue.push(words);
    return "QUEUED";
  } catch (error) {
    data.failed = true;
    return replyOf(error);
  }
}

function execute({ data }: Connection): RespValue {
  if (data.failed) return new RespError("EXECABORT Transaction discarded because of previous errors.");
  return data.queue.map(run);
}

export default defineProtocol({
  name: "resp",
  framing: versions[2],
  // The store is in the memory of one worker.
  workers: 1,
  options: v.object({
    /** MiB of the worker's resident memory from which on commands that need more are refused. */
    maxMemory: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1024),
  }),
  worker: {
    start: ({ options }) => {
      watch(options.maxMemory);
      return setInterval(watch, 100, options.maxMemory).unref();
    },
    stop: (timer) => clearInterval(timer),
  },
  full: new RespError("ERR max number of clients reached"),
  limits: { maxOutbound: 2 * MAX_LENGTH },
  data: (): Client => ({ queue: [], bytes: 0, failed: false }),
  states: {
    ready: {
      frame: (conn, words) => {
        switch (nameOf(words)) {
          case "MULTI":
            conn.send("OK");
            return next("queueing");
          case "EXEC":
          case "DISCARD":
            return conn.send(new RespError(`ERR ${nameOf(words)} without MULTI`));
          case "HELLO":
            return hello(conn, words[1]);
          case "QUIT":
            conn.send("OK");
            return stop("quit");
          default:
            return send(conn, run(words));
        }
      },
      idle: { after: "1h", do: stop("idle") },
    },
    queueing: {
      enter: ({ data }) => void Object.assign(data, { queue: [], bytes: 0, failed: false }),
      frame: (conn, words) => {
        switch (nameOf(words)) {
          case "MULTI":
            return conn.send(new RespError("ERR MULTI calls can not be nested"));
          case "EXEC":
            send(conn, execute(conn));
            return next("ready");
          case "DISCARD":
            conn.send("OK");
            return next("ready");
          default:
            return send(conn, enqueue(conn, words));
        }
      },
      leave: ({ data }) => void Object.assign(data, { queue: [], bytes: 0 }),
    },
  },
});
