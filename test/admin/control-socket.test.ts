/** The control socket: who may come near it, and when it is taken over. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createNetServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { alreadyRunning, probeInstance } from "../../src/admin/control-socket/running-instance.js";
import { checkSocketPath } from "../../src/admin/control-socket/socket-path.js";
import { type ControlSocketEvent, controlSocketEvents } from "../../src/admin/events.js";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";
import { eventually } from "../support/until.js";
import { ask, folder, listenTo, refusal, running } from "./support.js";

/** The socket that a killed program leaves behind. */
function staleSocket(path: string): void {
  const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script]);
  if (!lstatSync(path).isSocket()) throw new Error("Expected a socket that nobody listens on");
}

describe("a free place", () => {
  it("is made: a socket of mode 0600 in a folder of mode 0700", async () => {
    const path = join(folder(), "deep", "er", "drover.sock");
    await running({ socketPath: path });
    expect(lstatSync(path).isSocket()).toBe(true);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(path, "..")).mode & 0o777).toBe(0o700);
    expect(lstatSync(join(path, "..", "..")).mode & 0o777).toBe(0o700);
  });

  it("leaves the umask as it was", async () => {
    const before = process.umask();
    await running();
    expect(process.umask()).toBe(before);
  });

  it("is free again after closing, and closing twice is closing once", async () => {
    const { socketPath, close } = await running();
    await Promise.all([close(), close()]);
    expect(existsSync(socketPath)).toBe(false);
    expect((await ask(await running({ socketPath }), { path: "/health" })).status).toBe(200);
  });
});

describe("a folder", () => {
  const ofMode = (mode: number) => {
    const made = join(folder(), "made");
    mkdirSync(made);
    chmodSync(made, mode);
    return made;
  };

  it.each([0o777, 0o770, 0o722, 0o775])(
    "of mode %o is refused, because others could replace the socket, and the message says what to do",
    async (mode) => {
      const open = ofMode(mode);
      const socketPath = join(open, "drover.sock");
      const { code, exitCode, message } = await refusal({ socketPath });
      expect([code, exitCode]).toEqual(["bad_control", 69]);
      expect(message).toBe(
        `control socket: ${open}: other users can replace the socket in it: choose another path with --control, or set the sticky bit: chmod +t ${open}`,
      );
      expect(() => checkSocketPath(socketPath)).toThrow(message);
      expect(readdirSync(open)).toEqual([]);
    },
  );

  it.each([0o755, 0o750, 0o701, 0o1777])(
    "of mode %o is used, because the socket of mode 0600 is protected by itself",
    async (mode) => {
      const socketPath = join(ofMode(mode), "drover.sock");
      checkSocketPath(socketPath);
      await running({ socketPath });
      expect(lstatSync(socketPath).mode & 0o777).toBe(0o600);
    },
  );

  it.skipIf(process.getuid?.() !== 0)("of another user is refused", async () => {
    const theirs = join(folder(), "theirs");
    mkdirSync(theirs, { mode: 0o700 });
    chownSync(theirs, 12_345, 12_345);
    const { code, message } = await refusal({ socketPath: join(theirs, "drover.sock") });
    expect(code).toBe("bad_control");
    expect(message).toContain("belongs to another user (12345)");
  });

  it("that is a link is refused", async () => {
    const base = folder();
    mkdirSync(join(base, "real"), { mode: 0o700 });
    symlinkSync(join(base, "real"), join(base, "link"));
    const { message } = await refusal({ socketPath: join(base, "link", "drover.sock") });
    expect(message).toContain("is not a folder");
  });

  it("that is a file is refused", async () => {
    const file = join(folder(), "file");
    writeFileSync(file, "");
    expect((await refusal({ socketPath: join(file, "drover.sock") })).code).toBe("bad_control");
  });
});

describe("a taken place", () => {
  it("of a living instance is refused, and says which OS process it is", async () => {
    const { socketPath, control } = await running();
    const { code, exitCode, message } = await refusal({ socketPath });
    expect([code, exitCode]).toEqual(["already_running", 69]);
    expect(message).toMatch(/^drover "drover" is already running as OS process 4100 at /);
    expect(await ask({ socketPath }, { path: "/info" })).toMatchObject({ json: { osPid: control.osPid } });
  });

  it("of a killed instance is taken over, and nothing is left beside it", async () => {
    const base = folder();
    const socketPath = join(base, "drover.sock");
    staleSocket(socketPath);
    await running({ socketPath });
    expect((await ask({ socketPath }, { path: "/health" })).status).toBe(200);
    expect(readdirSync(base)).toEqual(["drover.sock"]);
  });

  it("goes to one of two that start at the same time", async () => {
    const socketPath = join(folder(), "drover.sock");
    staleSocket(socketPath);
    const starts = await Promise.allSettled([running({ socketPath }), running({ socketPath })]);
    const codes = starts.map((start) => (start.status === "rejected" ? start.reason.code : "started"));
    expect(codes.sort()).toEqual(["already_running", "started"]);
    expect((await ask({ socketPath }, { path: "/health" })).status).toBe(200);
  });

  it("that is a file is refused, and the file stays", async () => {
    const socketPath = join(folder(), "drover.sock");
    writeFileSync(socketPath, "precious");
    const { code, message } = await refusal({ socketPath });
    expect(code).toBe("bad_control");
    expect(message).toContain("exists and is not a socket");
    expect(readFileSync(socketPath, "utf8")).toBe("precious");
  });

  it("that is a link is refused, and what it leads to stays", async () => {
    const base = folder();
    const { socketPath } = await running();
    symlinkSync(socketPath, join(base, "drover.sock"));
    expect((await refusal({ socketPath: join(base, "drover.sock") })).code).toBe("bad_control");
    expect(lstatSync(socketPath).isSocket()).toBe(true);
  });
});

it("a path that does not fit into a socket's address is refused with exit code 78", async () => {
  const socketPath = join(folder(), `${"x".repeat(108)}.sock`);
  const { code, exitCode, message } = await refusal({ socketPath });
  expect([code, exitCode]).toEqual(["bad_control", 78]);
  expect(message).toContain("choose a shorter one with --control");
});

describe("a socket that is removed while the server runs", () => {
  /** The server, its clock, and what was published about its control socket. */
  async function watched() {
    const clock = new ManualClock();
    onTestFinished(useClock(clock));
    const events: (string | undefined)[] = [];
    const listener = (event: unknown) => void events.push((event as ControlSocketEvent).failure);
    controlSocketEvents.subscribe(listener);
    onTestFinished(() => void controlSocketEvents.unsubscribe(listener));
    return { ...(await running()), clock, events };
  }

  it("is created again within a second", async () => {
    const { socketPath, clock, events } = await watched();
    unlinkSync(socketPath);
    await clock.advance(1_000);
    await eventually(() => events.length === 1);
    expect((await ask({ socketPath }, { path: "/health" })).status).toBe(200);
    expect(lstatSync(socketPath).mode & 0o777).toBe(0o600);
    expect(events).toEqual([undefined]);
  });

  it("is created again together with its folder", async () => {
    const { socketPath, clock, events } = await watched();
    rmSync(dirname(socketPath), { recursive: true });
    await clock.advance(1_000);
    await eventually(() => events.length === 1);
    expect((await ask({ socketPath }, { path: "/health" })).status).toBe(200);
  });

  it("does not end the streams that were opened before", async () => {
    const { socketPath, clock, events } = await watched();
    const stream = await listenTo({ socketPath }, "/events");
    unlinkSync(socketPath);
    await clock.advance(1_000);
    await eventually(() => events.length === 1);
    const before = stream.events.length;
    await clock.advance(2_000);
    await eventually(() => stream.events.length > before);
    expect(stream.ended).toBe(false);
  });

  it("is left to another instance that has taken the path, and created again after it", async () => {
    const { socketPath, clock, events } = await watched();
    unlinkSync(socketPath);
    const second = await running({ socketPath });
    await clock.advance(1_000);
    await eventually(() => events.length === 1);
    expect(events[0]).toContain("is already running");
    await second.close();
    await clock.advance(2_000);
    await eventually(() => events.length === 2);
    expect(events[1]).toBeUndefined();
    expect((await ask({ socketPath }, { path: "/health" })).status).toBe(200);
  });

  it("is not removed by its former owner when another instance has taken the path", async () => {
    const first = await running();
    const { socketPath } = first;
    unlinkSync(socketPath);
    await running({ socketPath });
    const { ino } = lstatSync(socketPath);
    await first.close();
    expect(lstatSync(socketPath).ino).toBe(ino);
    expect((await ask({ socketPath }, { path: "/health" })).status).toBe(200);
  });

  it("is tried again with growing pauses, and the reason is published once", async () => {
    const { socketPath, clock, events } = await watched();
    unlinkSync(socketPath);
    mkdirSync(socketPath);
    await clock.advance(1_000);
    await eventually(() => events.length === 1);
    await clock.advance(100_000);
    rmdirSync(socketPath);
    await clock.advance(60_000);
    await eventually(() => events.length === 2);
    expect(events).toEqual([expect.stringContaining("exists and is not a socket"), undefined]);
  });
});

describe("a port that is taken", () => {
  it("is EADDRINUSE with exit code 69, names the address, and gives the control socket back", async () => {
    const other = createNetServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const socketPath = join(folder(), "drover.sock");
    const { code, exitCode, message } = await refusal({ port, socketPath });
    expect([code, exitCode]).toEqual(["EADDRINUSE", 69]);
    expect(message).toContain(`cannot listen on 127.0.0.1:${port}: the address is taken by another program`);
    expect(existsSync(socketPath)).toBe(false);
  });

  it("by an instance of the same name is reported as that instance", async () => {
    const { port, socketPath } = await running();
    expect((await refusal({ port, socketPath })).code).toBe("already_running");
  });
});

describe("the probe", () => {
  it("finds a living instance", async () => {
    expect(await probeInstance((await running()).socketPath)).toEqual({ osPid: 4100, name: "drover" });
  });

  it("finds no instance where there is nothing, a dead socket, a file, or no folder", async () => {
    const base = folder();
    staleSocket(join(base, "dead"));
    writeFileSync(join(base, "file"), "");
    for (const name of ["nothing", "dead", "file", "no/folder", "file/below"]) {
      expect(await probeInstance(join(base, name))).toBeUndefined();
    }
  });

  it("counts a program that answers something else as running", async () => {
    const path = join(folder(), "other.sock");
    const other = createServer((_, response) => response.end("[]"));
    await new Promise<void>((resolve) => other.listen(path, resolve));
    onTestFinished(() => void other.close());
    const found = await probeInstance(path);
    expect(found).toEqual({ osPid: undefined, name: undefined });
    expect(alreadyRunning(path, found!).message).toMatch(/^another program is already running at /);
  });
});
