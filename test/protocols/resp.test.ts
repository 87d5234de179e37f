/** The store that comes with drover: commands as Redis answers them, expiry, transactions, versions of the protocol. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { globMatches } from "../../src/protocols/resp/glob.js";
import { List } from "../../src/protocols/resp/list.js";
import { Store } from "../../src/protocols/resp/store.js";
import resp from "../../src/protocols/resp.js";
import { connected, serving } from "../support/serving.js";
import { eventually, until } from "../support/until.js";
import { EXPECTED, PIPELINE } from "./resp-commands.js";

/** A client that waits for the answer to a last PING, and returns what came before it. */
async function client() {
  const one = await connected(await serving(resp, { options: { maxMemory: 1024 ** 2 } }));
  let read = 0;
  return async (bytes: string | Buffer): Promise<string> => {
    one.write(bytes).write("PING end\r\n");
    await until(() => one.closed || one.bytes.subarray(read).toString("latin1").endsWith("$3\r\nend\r\n"));
    const text = one.bytes.subarray(read, -9).toString("latin1");
    read = one.bytes.length;
    return text;
  };
}

test("commands in one pipeline are answered as Redis answers them", async () => {
  const ask = await client();
  expect((await ask(PIPELINE)).replaceAll("\r\n", " ").trimEnd()).toBe(EXPECTED.trimEnd());
});

test("a key expires when it is read, and by the sweep", async () => {
  const ask = await client();
  await ask("FLUSHALL\r\n");
  expect(await ask("SET a 1 PX 5\r\nRPUSH l 1\r\nPEXPIRE l 5\r\n")).toBe("+OK\r\n:1\r\n:1\r\n");
  await eventually(
    async () => (await ask("GET a\r\n")) === "$-1\r\n" && (await ask("LLEN l\r\n")) === ":0\r\n",
  );
  const store = new Store();
  for (let i = 0; i < 1000; i++) store.set(`k${i}`, Buffer.from("1"), 1);
  store.set("kept", Buffer.from("1"), 1_000_000);
  await until(() => {
    store.sweep();
    return store.size === 1;
  });
  expect([...store.keys()]).toEqual(["kept"]);
});

test("bytes of any kind are keys and values; a mebibyte is, too", async () => {
  const ask = await client();
  const odd = Buffer.from([0, 13, 10, 255, 128]).toString("latin1");
  const word = (text: string) => `$${text.length}\r\n${text}\r\n`;
  const command = (...words: string[]) =>
    Buffer.from(`*${words.length}\r\n${words.map(word).join("")}`, "latin1");
  expect(await ask(command("SET", odd, odd))).toBe("+OK\r\n");
  expect(await ask(command("GET", odd))).toBe(word(odd));
  expect(await ask(command("KEYS", `*${odd[3]}?`))).toBe(`*1\r\n${word(odd)}`);
  const long = "x".repeat(2 ** 20);
  await ask(command("RPUSH", "long", ...new Array(7).fill(long)));
  expect((await ask(command("LRANGE", "long", "0", "-1"))).length).toBeGreaterThan(7 * 2 ** 20);
  await ask(command("RPUSH", "long", long, long));
  expect(await ask(command("LRANGE", "long", "0", "-1"))).toMatch(
    /^-ERR the reply has more than 8388608 bytes/,
  );
  await ask("FLUSHALL\r\n");
});

test("HELLO 3: maps and sets have types of their own from then on", async () => {
  const ask = await client();
  expect(await ask("HELLO 4\r\n")).toBe("-NOPROTO unsupported protocol version\r\n");
  const hello = await ask("HELLO 3\r\nHSET h a 1\r\nHGETALL h\r\nGET none\r\nFLUSHALL\r\n");
  expect(hello).toMatch(/^%6\r\n\$6\r\nserver\r\n/);
  expect(hello).toContain(":1\r\n%1\r\n$1\r\na\r\n$1\r\n1\r\n_\r\n+OK\r\n");
});

test("beyond its memory the store refuses what may need more, and answers the rest", async () => {
  const one = await connected(await serving(resp, { options: { maxMemory: 1 } }));
  const refused = () => {
    one.write("SET a 1\r\n");
    return one.bytes.toString().includes("-OOM command not allowed when used memory > 'maxmemory'.\r\n");
  };
  await eventually(async () => refused());
  const before = one.bytes.length;
  one.write("FLUSHALL\r\nECHO end\r\n");
  await until(() => one.bytes.subarray(before).toString().endsWith("+OK\r\n$3\r\nend\r\n"));
});

test("QUIT is answered, and ends the connection", async () => {
  const one = await connected(await serving(resp));
  await one.write("QUIT\r\n").end();
  expect(one.bytes.toString()).toBe("+OK\r\n");
});

test("a list is the same as an array with two ends", () => {
  const step = fc.record({ end: fc.constantFrom("Left", "Right"), push: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const list = new List();
      const array: Buffer[] = [];
      for (const [n, { end, push }] of steps.entries()) {
        const item = Buffer.from(String(n));
        if (push) list[end === "Left" ? "pushLeft" : "pushRight"](item);
        if (push) array[end === "Left" ? "unshift" : "push"](item);
        else
          expect(list[end === "Left" ? "popLeft" : "popRight"]()).toBe(
            array[end === "Left" ? "shift" : "pop"](),
          );
      }
      expect(list.slice(0, list.size)).toEqual(array);
      expect(list.slice(1, 3)).toEqual(array.slice(1, 3));
    }),
    { numRuns: 200 },
  );
});

test.each([
  ["*", "", true],
  ["a*c", "abbc", true],
  ["a*c", "abbd", false],
  ["h?llo", "hello", true],
  ["h?llo", "hllo", false],
  ["h[ae]llo", "hallo", true],
  ["h[^e]llo", "hello", false],
  ["h[a-c]*", "hbx", true],
  ["h[c-a]*", "hbx", true],
  ["\\*", "*", true],
  ["\\*", "a", false],
  ["[a", "a", true],
  ["*a*b*c*", "xxaxxbxxcxx", true],
])("pattern %s on %s: %s", (pattern, text, matches) => {
  expect(globMatches(pattern, text)).toBe(matches);
});

test("a pattern with many stars takes no longer than both lengths together allow", () => {
  expect(globMatches(`${"*a".repeat(200)}b`, "a".repeat(5000))).toBe(false);
});
