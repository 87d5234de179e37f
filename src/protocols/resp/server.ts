/** Commands about the server, as far as clients and tools send them on their own. */
import type { RespValue } from "../../index.js";
import { type Commands, id } from "./command.js";
import { CommandError, type Store } from "./store.js";

/** The version whose answers these are. */
export const VERSION = "7.0.0";

/** Names and versions that a client tells of itself are not kept. */
function client(_store: Store, subcommand: Buffer): RespValue {
  const name = id(subcommand).toUpperCase();
  if (name === "SETINFO" || name === "SETNAME") return "OK";
  if (name === "GETNAME") return null;
  throw new CommandError(`ERR unknown subcommand '${subcommand}'. Try CLIENT HELP.`);
}

/** What `redis-benchmark` asks for: nothing is written to disk. */
const CONFIG: Readonly<Record<string, string>> = { save: "", appendonly: "no" };

function config(_store: Store, subcommand: Buffer, name?: Buffer): RespValue {
  if (id(subcommand).toUpperCase() !== "GET") throw new CommandError("ERR CONFIG has only GET here");
  const value = CONFIG[String(name)];
  return value === undefined ? [] : [Buffer.from(String(name)), Buffer.from(value)];
}

function select(_store: Store, index: Buffer): RespValue {
  if (id(index) === "0") return "OK";
  throw new CommandError("ERR DB index is out of range");
}

function info(store: Store): Buffer {
  const lines = ["# Server", `redis_version:${VERSION}`, "redis_mode:standalone", "loading:0"];
  return Buffer.from([...lines, "# Keyspace", `db0:keys=${store.size}`, ""].join("\r\n"));
}

export const server: Commands = {
  PING: [-1, (_store, text) => text ?? "PONG"],
  ECHO: [2, (_store, text) => text as Buffer],
  SELECT: [2, select],
  CLIENT: [-2, client],
  COMMAND: [-1, () => []],
  CONFIG: [-2, config],
  INFO: [-1, info],
};
