/** The admin server as a child of a supervisor. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type AdminChildOptions, openAdminChild } from "../../src/admin/admin.js";
import { AdminError } from "../../src/admin/errors.js";
import type { Pid } from "../../src/otp/process/pid.js";
import { exit } from "../../src/otp/process/signals.js";
import { startSupervisor, stopSupervisor, whichChildren } from "../../src/otp/supervisor/supervisor.js";
import { FakeControl } from "./fake-control.js";
import { ask, folder } from "./support.js";

interface Supervised {
  readonly supervisor: Pid;
  readonly socketPath: string;
  /** Of every start. */
  readonly ports: number[];
  /** Resolves with the port of the next start. */
  next(): Promise<number>;
}

async function supervised(options: Partial<AdminChildOptions> = {}): Promise<Supervised> {
  const ports: number[] = [];
  let heard = (_port: number): void => {};
  const socketPath = join(folder(), "drover.sock");
  const spec = await openAdminChild({
    control: new FakeControl(),
    host: "127.0.0.1",
    port: 0,
    socketPath,
    onListening: (port) => {
      ports.push(port);
      heard(port);
    },
    ...options,
  });
  const supervisor = await startSupervisor("drover", {}, [spec]);
  onTestFinished(() => stopSupervisor(supervisor));
  const next = (): Promise<number> => new Promise((resolve) => (heard = resolve));
  return { supervisor, socketPath, ports, next };
}

it("it is called admin, and says which port it took", async () => {
  const { supervisor, ports } = await supervised();
  const children = await whichChildren(supervisor);
  expect(children.map(({ id }) => id)).toEqual(["admin"]);
  expect((children[0]!.pid as Pid).label).toBe("admin");
  expect((await ask({ port: ports[0]! }, { path: "/health" })).status).toBe(200);
});

it("it closes the TCP port and the control socket when its supervisor shuts down", async () => {
  const { supervisor, socketPath, ports } = await supervised();
  await stopSupervisor(supervisor);
  expect(existsSync(socketPath)).toBe(false);
  await expect(ask({ port: ports[0]! }, { path: "/health" })).rejects.toThrow("ECONNREFUSED");
});

it("after a kill it is started again on the same socket", async () => {
  const { supervisor, socketPath, ports, next } = await supervised();
  const pid = (await whichChildren(supervisor))[0]!.pid as Pid;
  const again = next();
  exit(pid, "kill");
  const port = await again;
  expect((await ask({ socketPath }, { path: "/health" })).status).toBe(200);
  expect((await ask({ port }, { path: "/health" })).status).toBe(200);
  expect(ports).toHaveLength(2);
});

it("a start that fails is refused with its exit code before there is a child", async () => {
  const refused = await supervised({ host: "0.0.0.0" }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(AdminError);
  expect(refused).toMatchObject({ code: "exposed", exitCode: 78 });
});

it("its options do not appear in reports", async () => {
  const options = {
    control: new FakeControl(),
    host: "127.0.0.1",
    port: 0,
    socketPath: join(folder(), "drover.sock"),
    token: "x".repeat(32),
  };
  const spec = await openAdminChild(options);
  const supervisor = await startSupervisor("drover", {}, [spec]);
  onTestFinished(() => stopSupervisor(supervisor));
  expect(JSON.stringify(spec)).not.toContain("x".repeat(32));
});
