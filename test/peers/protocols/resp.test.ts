/** The example `resp` with real clients: redis-cli, redis-benchmark, the npm package `redis`; and beside a real Redis. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, expect } from "vitest";
import { EXPECTED, PIPELINE } from "../../protocols/resp-commands.js";
import { Client } from "../../support/client.js";
import { find, testWith, testWithPackage } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { endAll, serveProgram } from "../../support/program.js";
import { eventually, until } from "../../support/until.js";

const cli = testWith("redis-cli", "apt-get install redis-tools");
const benchmark = testWith("redis-benchmark", "apt-get install redis-tools");
const redis = testWith("redis-server", "apt-get install redis-server");
const npm = testWithPackage("redis");
const exec = promisify(execFile);

let port: number;
beforeAll(async () => {
  ({ port } = await serveProgram(["resp", "--workers=1"]));
});
afterAll(endAll);

cli("redis-cli: commands, errors, binary values, a pipe", async () => {
  const run = async (...words: string[]) =>
    (await exec(find("redis-cli") as string, ["-p", String(port), ...words])).stdout.trimEnd();
  expect(await run("SET", "greeting", "hello\nworld")).toBe("OK");
  expect(await run("--no-raw", "GET", "greeting")).toBe('"hello\\nworld"');
  expect(await run("-3", "--no-raw", "HSET", "h", "a", "1")).toBe("(integer) 1");
  expect(await run("-3", "--no-raw", "HGETALL", "h")).toBe('1# "a" => "1"');
  expect(await run("--no-raw", "LPUSH", "h", "1")).toContain("(error) WRONGTYPE Operation against a key");
  const pipe = spawn(find("redis-cli") as string, ["-p", String(port), "--pipe"]);
  let said = "";
  pipe.stdout.on("data", (text) => (said += text));
  for (let n = 0; n < 10_000; n++) pipe.stdin.write(`RPUSH piped ${n}\r\n`);
  pipe.stdin.end();
  await once(pipe, "close");
  expect(said).toContain("errors: 0, replies: 10000");
  expect(await run("LRANGE", "piped", "-1", "-1")).toBe("9999");
});

benchmark.each([1, 16])("redis-benchmark with %i commands in flight", async (inFlight) => {
  const tests = "ping,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,lrange_100,mset";
  const { stdout, stderr } = await exec(find("redis-benchmark") as string, [
    ...["-p", String(port), "-n", "2000", "-c", "20", "-P", String(inFlight), "-t", tests, "--csv"],
  ]);
  const rates = stdout.trim().split("\n").slice(1);
  expect(rates.map((line) => line.split('"')[1])).toEqual(
    expect.arrayContaining(["PING_INLINE", "SET", "INCR", "LRANGE_100 (first 100 elements)"]),
  );
  expect(rates.length).toBe(15);
  expect(stderr).not.toMatch(/error/i);
});

npm.test.each([2, 3])("the npm package redis, version %i of the protocol", async (RESP) => {
  const { createClient } = npm.load();
  const client = createClient({ RESP, socket: { port, host: "127.0.0.1", reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  await client.flushAll();
  expect(await client.set("a", "1", { EX: 100 })).toBe("OK");
  expect(await Promise.all([client.incr("a"), client.get("a"), client.ttl("a")])).toEqual([2, "2", 100]);
  await client.hSet("h", { x: "1", y: "2" });
  expect({ ...(await client.hGetAll("h")) }).toEqual({ x: "1", y: "2" });
  await client.sAdd("s", ["a", "b"]);
  expect((await client.sMembers("s")).sort()).toEqual(["a", "b"]);
  expect(await client.multi().set("m", "1").incr("m").get("m").exec()).toEqual(["OK", 2, "2"]);
  await expect(client.lPush("a", "1")).rejects.toThrow("WRONGTYPE");
  await client.close();
});

/** Sends commands and then a marker; returns all that came before. Both nulls of RESP2 count as the same. */
async function replies(client: Client, commands: string): Promise<string> {
  const before = client.bytes.length;
  client.write(`${commands}DISCARD\r\nPING end-of-replies\r\n`);
  await until(() => client.closed || client.bytes.subarray(before).toString().endsWith("end-of-replies\r\n"));
  return client.bytes.subarray(before).toString().replaceAll("\r\n", " ").replaceAll("*-1", "$-1").trimEnd();
}

redis("every reply is that of a real Redis: known commands, then random ones", async () => {
  const other = await freePort();
  const server = spawn(find("redis-server") as string, [
    ...["--port", String(other), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
  ]);
  server.stdout.resume();
  try {
    const theirs = await eventually(() => Client.connect(other).catch(() => undefined));
    const ours = await Client.connect(port);
    const known = await replies(theirs, PIPELINE);
    expect(known).toBe(`${EXPECTED} -ERR DISCARD without MULTI $14 end-of-replies`);
    expect(await replies(ours, PIPELINE)).toBe(known);
    await fc.assert(
      fc.asyncProperty(fc.array(COMMAND, { minLength: 1, maxLength: 40 }), async (commands) => {
        const text = ["FLUSHALL", ...commands].map((command) => `${command}\r\n`).join("");
        expect(await replies(ours, text)).toBe(await replies(theirs, text));
      }),
      { numRuns: 1000 },
    );
    await Promise.all([ours.close(), theirs.close()]);
  } finally {
    server.kill("SIGKILL");
  }
});

const key = fc.constantFrom("a", "b");
const value = fc.constantFrom("1", "-5", "x", "9223372036854775807", "007", "a");
const index = fc.constantFrom("0", "1", "-1", "-9", "9", "x");
const COMMAND = fc.oneof(
  ...["GET", "INCR", "DECR", "STRLEN", "GETDEL", "LPOP", "RPOP", "LLEN", "HGETALL", "HLEN", "SCARD"].map(
    (name) => key.map((k) => `${name} ${k}`),
  ),
  ...["TYPE", "TTL", "PERSIST", "DEL", "EXISTS"].map((name) => key.map((k) => `${name} ${k}`)),
  ...[
    "SET",
    "SETNX",
    "GETSET",
    "APPEND",
    "INCRBY",
    "DECRBY",
    "RPUSH",
    "LPUSH",
    "SADD",
    "SREM",
    "SISMEMBER",
  ].map((name) => fc.tuple(key, value).map(([k, v]) => `${name} ${k} ${v}`)),
  ...["HGET", "HDEL", "HEXISTS", "HMGET"].map((name) =>
    fc.tuple(key, key).map(([k, v]) => `${name} ${k} ${v}`),
  ),
  ...["HSET", "HINCRBY"].map((name) =>
    fc.tuple(key, key, value).map(([k, f, v]) => `${name} ${k} ${f} ${v}`),
  ),
  fc.tuple(key, index, index).map(([k, from, to]) => `LRANGE ${k} ${from} ${to}`),
  fc.tuple(key, index).map(([k, at]) => `LINDEX ${k} ${at}`),
  fc.tuple(key, index).map(([k, count]) => `LPOP ${k} ${count}`),
  fc.tuple(key, index).map(([k, ttl]) => `EXPIRE ${k} ${ttl}00`),
  fc
    .tuple(
      key,
      value,
      fc.constantFrom("NX", "XX", "GET", "KEEPTTL", "EX 100", "EX 0", "PX", "NX GET", "XX GET"),
    )
    .map(([k, v, option]) => `SET ${k} ${v} ${option}`),
  fc.constantFrom("MULTI", "EXEC", "DISCARD", "NONSENSE a", "DBSIZE", "MGET a b none"),
);
