/** The listening socket that one OS process binds and others accept on. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, openSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { adopt, bind } from "../../src/transport/listening-socket.js";
import { stream } from "../../src/transport/stream/stream.js";

function bound(host: string, port: number) {
  const handle = bind(host, port);
  onTestFinished(() => handle.close());
  return handle;
}

/** `bind` on a machine where binding `::` fails with this code. */
async function bindWithout(code: string): Promise<typeof bind> {
  const raw = net as unknown as {
    _createServerHandle: (host: string, port: number, family: number) => unknown;
  };
  const real = raw._createServerHandle;
  const number = -(await import("node:os")).constants.errno[code as "EINVAL"];
  raw._createServerHandle = (host, port, family) => (family === 6 ? number : real(host, port, family));
  vi.resetModules();
  try {
    return (await import("../../src/transport/listening-socket.js")).bind;
  } finally {
    raw._createServerHandle = real;
  }
}

test("port 0 is any that is free, and is said", () => {
  const [one, other] = [bound("127.0.0.1", 0), bound("127.0.0.1", 0)];
  expect(one.port).toBeGreaterThan(0);
  expect(one.port).not.toBe(other.port);
  expect(one.address).toBe("127.0.0.1");
});

test("a port in use is refused with EADDRINUSE and the address", async () => {
  const options = { backlog: 1, onSocket: () => {}, onError: () => {} };
  const listening = await stream.listen({ host: "127.0.0.1", port: 0 }, options);
  onTestFinished(() => listening.close());
  expect(() => bind("127.0.0.1", listening.port)).toThrow(
    expect.objectContaining({
      code: "EADDRINUSE",
      syscall: "bind",
      address: "127.0.0.1",
      port: listening.port,
    }),
  );
});

test.runIf(process.platform === "linux")("a FIFO is not adopted, and the message says what to set", () => {
  const fifo = join(mkdtempSync(join(tmpdir(), "drover-fifo-")), "fifo");
  execFileSync("mkfifo", [fifo]);
  // Its descriptor is closed by the refusal.
  expect(() => adopt(openSync(fifo, "r+"))).toThrow(
    /is not a TCP or UNIX socket that can listen \(ENOTSOCK\): set ListenStream= in the socket unit$/,
  );
});

test("an address of another machine is not available", () => {
  expect(() => bind("192.0.2.1", 0)).toThrow(expect.objectContaining({ code: "EADDRNOTAVAIL" }));
});

test.skipIf(process.getuid?.() === 0)("a privileged port is refused", () => {
  expect(() => bind("127.0.0.1", 1)).toThrow(expect.objectContaining({ code: "EACCES" }));
});

test(":: takes both families where there is IPv6", async ({ skip }) => {
  const one = bound("::", 0);
  skip(one.address !== "::", "no IPv6 here");
  const options = { backlog: 1, onSocket: () => {}, onError: () => {} };
  const listening = await stream.listen({ handle: one.handle }, options);
  onTestFinished(() => listening.close());
  for (const host of ["127.0.0.1", "::1"]) {
    await new Promise<void>((resolve, reject) => {
      const socket = net.connect(one.port, host, () => resolve(void socket.destroy()));
      socket.on("error", reject);
    });
  }
});

test.for(["EAFNOSUPPORT", "EADDRNOTAVAIL", "EINVAL"])(
  ":: falls back to 0.0.0.0 where there is no IPv6 (%s)",
  async (code) => {
    const one = (await bindWithout(code))("::", 0);
    onTestFinished(() => one.close());
    expect(one.address).toBe("0.0.0.0");
  },
);

test("another failure of :: is no reason to fall back, and an IPv6 address never falls back", async () => {
  const refused = await bindWithout("EADDRINUSE");
  expect(() => refused("::", 0)).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
  const without = await bindWithout("EAFNOSUPPORT");
  expect(() => without("::1", 0)).toThrow(expect.objectContaining({ code: "EAFNOSUPPORT" }));
});
