import { describe, expect, it } from "vitest";
import { inheritedSockets } from "../../src/config/config.js";
import { folderWith, load } from "./support.js";

const PID = 7;

/** Descriptors of a server with these listeners, `a` to `c`; or why it is refused. */
async function sockets(
  env: Record<string, string>,
  systemd?: readonly (string | undefined)[],
  argv: string[] = [],
) {
  const listeners = systemd?.map((name, at) => {
    const address = name === undefined ? { port: 0 } : { systemd: name };
    return { name: "abc"[at], protocol: "echo", ...address };
  });
  const cwd = folderWith({ "x.json": JSON.stringify({ listeners }) });
  const loaded = await load({ cwd, argv: listeners ? ["--config=x.json"] : argv });
  try {
    return Object.fromEntries(inheritedSockets({ LISTEN_PID: String(PID), ...env }, PID, loaded));
  } catch (error) {
    return `${(error as { exitCode: number }).exitCode} ${(error as Error).message}`;
  }
}

describe("the only listener", () => {
  it("gets the only socket", async () => {
    expect(await sockets({ LISTEN_FDS: "1", LISTEN_FDNAMES: "unknown" })).toEqual({ main: 3 });
    expect(await sockets({})).toEqual({});
    expect(await sockets({ LISTEN_FDS: "1", LISTEN_PID: "8" })).toEqual({});
  });

  it.each([
    [
      { LISTEN_FDS: "2" },
      [],
      "78 LISTEN_FDS=2: there is one listener: keep one ListenStream= in the socket unit, or configure listeners, each with systemd",
    ],
    [
      { LISTEN_FDS: "1" },
      ["--port=1"],
      "78 LISTEN_FDS=1: the inherited socket already has an address: remove port",
    ],
    [
      { LISTEN_FDS: "1" },
      ["--path=/x"],
      "78 LISTEN_FDS=1: the inherited socket already has an address: remove path",
    ],
    [{ LISTEN_FDS: "x" }, [], "78 LISTEN_FDS=x: expected the number of inherited sockets"],
  ])("%j %j is refused", async (env, argv, message) => {
    expect(await sockets(env, undefined, argv)).toBe(message);
  });
});

describe("several listeners", () => {
  it("get theirs by name", async () => {
    const env = { LISTEN_FDS: "2", LISTEN_FDNAMES: "two:one" };
    expect(await sockets(env, ["one", undefined, "two"])).toEqual({ a: 4, c: 3 });
  });

  it("get theirs in order where there are no names", async () => {
    expect(await sockets({ LISTEN_FDS: "2" }, ["one", undefined, "two"])).toEqual({ a: 3, c: 4 });
  });

  it("get none that are not for this OS process", async () => {
    expect(await sockets({ LISTEN_FDS: "2", LISTEN_PID: "8" }, [undefined])).toEqual({});
  });

  it.each([
    [
      {},
      ["one"],
      "x.json:1:45: listeners[0].systemd: no socket is inherited (LISTEN_FDS is not set): start the server by its socket unit",
    ],
    [
      { LISTEN_FDS: "1" },
      ["one", "two"],
      "LISTEN_FDS=1: 2 listeners have systemd: configure one for each inherited socket",
    ],
    [
      { LISTEN_FDS: "1" },
      [undefined],
      "LISTEN_FDS=1: 0 listeners have systemd: configure one for each inherited socket",
    ],
    [
      { LISTEN_FDS: "1", LISTEN_FDNAMES: "onee" },
      ["one"],
      "x.json:1:45: listeners[0].systemd: LISTEN_FDNAMES=onee has no one: did you mean onee?",
    ],
    [
      { LISTEN_FDS: "2", LISTEN_FDNAMES: "one:one" },
      ["one"],
      "x.json:1:45: listeners[0].systemd: LISTEN_FDNAMES=one:one has one twice: give each socket unit a FileDescriptorName=",
    ],
    [
      { LISTEN_FDS: "3", LISTEN_FDNAMES: "one:two" },
      ["one", "two"],
      "LISTEN_FDNAMES=one:two: names 2 sockets, and LISTEN_FDS=3: set both alike, or remove LISTEN_FDNAMES",
    ],
    [
      { LISTEN_FDS: "1", LISTEN_FDNAMES: "one:two" },
      ["one"],
      "LISTEN_FDNAMES=one:two: names 2 sockets, and LISTEN_FDS=1: set both alike, or remove LISTEN_FDNAMES",
    ],
    [
      { LISTEN_FDS: "2", LISTEN_FDNAMES: "one:two" },
      ["one"],
      'LISTEN_FDNAMES=one:two: no listener has "systemd": "two": add one, or remove its socket unit',
    ],
  ])("%j for %j is refused", async (env, systemd, message) => {
    expect(await sockets(env as Record<string, string>, systemd)).toBe(`78 ${message}`);
  });
});
