/** UNIX sockets: both transports over them, and the file: rights, what is in the way, what is removed. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { handle } from "../../src/transport/handle/handle.js";
import { stream } from "../../src/transport/stream/stream.js";
import type { Transport, UnixTarget } from "../../src/transport/transport.js";
import { bindUnix } from "../../src/transport/unix/bind-unix.js";
import { Client } from "../support/client.js";
import { until } from "../support/until.js";
import { unixConformance } from "./conformance.js";
import { stage } from "./owner.js";

/** A folder that is removed with the test. */
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "unix-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** As `transport`, but it listens on a UNIX socket whatever the target. */
const overUnix = (transport: Transport): Transport => ({
  ...transport,
  listen: (_target, options) => transport.listen({ path: join(folder(), "x.sock") }, options),
});

unixConformance("handle", overUnix(handle));
unixConformance("stream", overUnix(stream));

async function bound(target: UnixTarget) {
  const made = await bindUnix(target);
  onTestFinished(() => made.close());
  return made;
}

const modeOf = (path: string) => lstatSync(path).mode & 0o777;
const isRoot = process.getuid?.() === 0;

/** The socket that a killed program leaves behind. */
function staleSocket(path: string): void {
  const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
  if (!lstatSync(path).isSocket()) throw new Error("Expected a socket that no program listens on");
}

for (const transport of [handle, stream]) {
  describe(`transport ${transport.name}`, () => {
    test("the peer and the local address of a connection are the path, with port 0", async () => {
      const path = join(folder(), "x.sock");
      const { listening, pair } = await stage(transport, undefined, { path });
      expect([listening.address, listening.port]).toEqual([path, 0]);
      const { owner } = await pair();
      expect([owner.socket.peer, owner.socket.local]).toEqual([
        { address: path, port: 0 },
        { address: path, port: 0 },
      ]);
    });

    test("it accepts on a socket that was bound before, whose queue held the clients meanwhile", async () => {
      const { handle, address } = await bound({ path: join(folder(), "x.sock") });
      const { listening, pair } = await stage(transport, undefined, { handle, address });
      expect(listening.address).toBe(address);
      const { client, owner } = await pair();
      client.write("x");
      await until(() => owner.text === "x");
    });

    test("close removes the file, open connections stay, and the path is free again", async () => {
      const path = join(folder(), "x.sock");
      const { listening, pair } = await stage(transport, undefined, { path });
      const { client, owner } = await pair();
      listening.close();
      expect(existsSync(path)).toBe(false);
      client.write("still here");
      await until(() => owner.text === "still here");
      await bound({ path });
    });
  });
}

describe("the file", () => {
  test("of dead programs: two in one folder are replaced at once", async () => {
    const where = folder();
    const paths = [join(where, "a"), join(where, "b")];
    for (const path of paths) staleSocket(path);
    await Promise.all(paths.map((path) => bound({ path })));
    expect(readdirSync(where)).toEqual(["a", "b"]);
  });

  test("has mode 0600, or the mode and group that are asked for; nothing else stays in the folder", async () => {
    const where = folder();
    const { gid, uid } = userInfo();
    const umask = process.umask();
    await bound({ path: join(where, "a") });
    await bound({ path: join(where, "b"), mode: 0o660, group: gid, owner: uid });
    expect([modeOf(join(where, "a")), modeOf(join(where, "b"))]).toEqual([0o600, 0o660]);
    expect(readdirSync(where)).toEqual(["a", "b"]);
    expect(process.umask()).toBe(umask);
  });

  test.runIf(isRoot)("belongs to the user and group that are named", async () => {
    const path = join(folder(), "x");
    await bound({ path, mode: 0o770, owner: "nobody", group: "nogroup" });
    const { uid, gid } = lstatSync(path);
    expect([uid, gid, modeOf(path)]).toEqual([65534, 65534, 0o770]);
  });

  test("a user or group that this machine does not have is named, and nothing stays", async () => {
    const where = folder();
    await expect(bindUnix({ path: join(where, "x"), group: "no such" })).rejects.toThrow(
      `UNIX socket ${where}/x: this machine has no group "no such"`,
    );
    expect(readdirSync(where)).toEqual([]);
  });

  test.runIf(isRoot)(
    "is never seen by another user with other rights, while it is bound again and again",
    async () => {
      const where = folder();
      chmodSync(where, 0o755);
      const path = join(where, "x.sock");
      const script = `
      const net = require("node:net"), fs = require("node:fs");
      process.setgid(65534); process.setuid(65534);
      let tries = 0, open = 0;
      const one = () => {
        tries++;
        let names = [];
        try { names = fs.readdirSync(${JSON.stringify(where)}); } catch {}
        let left = names.length;
        if (left === 0) return setImmediate(one);
        for (const name of names) {
          const done = () => { if (--left === 0) setImmediate(one); };
          net.connect(${JSON.stringify(where)} + "/" + name, function () { open++; this.destroy(); done(); }).on("error", (e) => { if (e.code === "EACCES") denied++; done(); });
        }
      };
      let denied = 0;
      process.on("message", () => process.send({ tries, open, denied }));
      process.send("ready"); one();`;
      const other = spawn(process.execPath, ["-e", script], {
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      });
      onTestFinished(() => void other.kill());
      await once(other, "message");
      const look = async () => {
        other.send("?");
        const [seen] = (await once(other, "message")) as [{ tries: number; open: number; denied: number }];
        return seen;
      };
      let seen = { open: 0, denied: 0 };
      for (let n = 0; n < 200 || seen.denied === 0; n++) {
        const { handle, close } = await bindUnix({ path, owner: 0, group: 0, mode: 0o660 });
        (handle as { listen(backlog: number): number }).listen(5);
        await new Promise((resolve) => setImmediate(resolve));
        close();
        if (n % 50 === 0) seen = await look();
      }
      expect((await look()).open).toBe(0);
    },
  );

  test("is not removed at the end when another program has put its own there", async () => {
    const path = join(folder(), "x.sock");
    const one = await bindUnix({ path });
    unlinkSync(path);
    await bound({ path });
    one.close();
    expect(lstatSync(path).isSocket()).toBe(true);
  });
});

describe("in the way", () => {
  test("the socket of a killed program is replaced", async () => {
    const path = join(folder(), "x.sock");
    staleSocket(path);
    const { listening } = await stage(handle, undefined, { path });
    await (await Client.connectTo(listening.address)).close();
    expect(readdirSync(join(path, ".."))).toEqual(["x.sock"]);
  });

  test("the socket of a living program stays, and the error says what to do", async () => {
    const path = join(folder(), "x.sock");
    const server = createServer().listen(path);
    onTestFinished(() => void server.close());
    await once(server, "listening");
    await expect(bindUnix({ path })).rejects.toMatchObject({
      code: "EADDRINUSE",
      message: `UNIX socket ${path}: another program accepts connections on it: stop that one, or choose another path`,
    });
    await (await Client.connectTo(path)).close();
  });

  test.each([
    ["file", (path: string) => writeFileSync(path, "precious")],
    ["folder", (path: string) => mkdirSync(path)],
    ["link", (path: string) => symlinkSync("/etc/passwd", path)],
  ])("a %s stays", async (_what, make) => {
    const path = join(folder(), "x.sock");
    make(path);
    await expect(bindUnix({ path })).rejects.toMatchObject({
      code: "EEXIST",
      message: `UNIX socket ${path}: exists and is not a socket: remove it, or choose another path`,
    });
    expect(lstatSync(path).isSocket()).toBe(false);
  });

  test("of two programs that bind at once one is refused", async () => {
    const path = join(folder(), "x.sock");
    const both = await Promise.allSettled([bindUnix({ path }), bindUnix({ path })]);
    const codes = both.map((one) => (one.status === "rejected" ? one.reason.code : "bound"));
    for (const one of both) if (one.status === "fulfilled") one.value.close();
    expect(codes.sort()).toEqual(["EEXIST", "bound"]);
  });

  test("a folder that is missing is named", async () => {
    const path = join(folder(), "run", "x.sock");
    await expect(bindUnix({ path })).rejects.toMatchObject({
      code: "ENOENT",
      message: `UNIX socket ${path}: its folder does not exist: create it, or choose another path (${join(path, "..")})`,
    });
  });
});

describe("a name", () => {
  test("of 107 bytes is taken, one of 108 refused", async () => {
    const where = folder();
    const longest = join(where, "x".repeat(107 - where.length - 1));
    await bound({ path: longest });
    expect(existsSync(longest)).toBe(true);
    await expect(bindUnix({ path: `${longest}x` })).rejects.toMatchObject({
      code: "ENAMETOOLONG",
      message: `UNIX socket ${longest}x: the path has 108 bytes, the maximum is 107: choose a shorter one`,
    });
  });

  const abstract = process.platform === "linux" && Number(process.versions.node.split(".")[0]) >= 22;

  test.runIf(abstract)("that is abstract is no file, and is taken only once", async () => {
    const path = `@drover-test-${process.pid}`;
    const { listening, owners } = await stage(handle, undefined, { path });
    const client = await Client.connectTo(`\0${path.slice(1)}`);
    const owner = await until(() => owners[0]);
    expect([listening.address, owner.socket.peer]).toEqual([path, { address: path, port: 0 }]);
    await client.close();
    await expect(bindUnix({ path })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  test.runIf(!abstract)("that is abstract is refused where Node cannot bind it", async () => {
    await expect(bindUnix({ path: "@x" })).rejects.toThrow(
      /^UNIX socket @x: abstract names (need Node 22|exist only)/,
    );
  });

  test("that is abstract has no mode", async () => {
    await expect(bindUnix({ path: "@x", mode: 0o660 })).rejects.toMatchObject({ code: "EINVAL" });
  });
});

test("a moved socket is not removed", async () => {
  const path = join(folder(), "x.sock");
  const one = await bindUnix({ path });
  renameSync(path, `${path}.old`);
  one.close();
  expect(existsSync(`${path}.old`)).toBe(true);
});
