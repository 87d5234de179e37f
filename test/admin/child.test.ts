/** The admin server as a child of a supervisor. */
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type AdminChildOptions, openAdminChild } from "../../src/admin/admin.js";
import { AdminError } from "../../src/admin/errors.js";
import { type AdminPortEvent, adminPortEvents } from "../../src/admin/events.js";
import type { Pid } from "../../src/otp/process/pid.js";
import { onDown } from "../../src/otp/process/process.js";
import { exit } from "../../src/otp/process/signals.js";
import { startSupervisor, stopSupervisor, whichChildren } from "../../src/otp/supervisor/supervisor.js";
import { eventually, until } from "../support/until.js";
import { FakeControl } from "./fake-control.js";
import { ask, folder } from "./support.js";

interface Supervised {
  readonly supervisor: Pid;
  readonly socketPath: string;
  readonly port: number;
}

async function supervised(options: Partial<AdminChildOptions> = {}): Promise<Supervised> {
  let port = 0;
  const socketPath = join(folder(), "drover.sock");
  const spec = await openAdminChild({
    control: new FakeControl(),
    host: "127.0.0.1",
    port: 0,
    socketPath,
    onListening: (bound) => {
      port = bound;
    },
    ...options,
  });
  const supervisor = await startSupervisor("drover", {}, [spec]);
  onTestFinished(() => stopSupervisor(supervisor));
  return { supervisor, socketPath, port };
}

it("it is called admin, and says which port it took", async () => {
  const { supervisor, port } = await supervised();
  const children = await whichChildren(supervisor);
  expect(children.map(({ id }) => id)).toEqual(["admin"]);
  expect((children[0]!.pid as Pid).label).toBe("admin");
  expect((await ask({ port }, { path: "/health" })).status).toBe(200);
});

it("it closes the TCP port and the control socket when its supervisor shuts down", async () => {
  const { supervisor, socketPath, port } = await supervised();
  await stopSupervisor(supervisor);
  expect(existsSync(socketPath)).toBe(false);
  await expect(ask({ port }, { path: "/health" })).rejects.toThrow("ECONNREFUSED");
});

it("after a kill it is started again on the same port and socket", async () => {
  const { supervisor, socketPath, port } = await supervised();
  const pid = (await whichChildren(supervisor))[0]!.pid as Pid;
  exit(pid, "kill");
  await eventually(async () => (await whichChildren(supervisor)).some((one) => one.pid && one.pid !== pid));
  expect((await ask({ socketPath }, { path: "/health" })).status).toBe(200);
  expect((await ask({ port }, { path: "/health" })).status).toBe(200);
});

it("a port that is taken at a restart is tried again until it is free, and the control socket answers meanwhile", async () => {
  const { supervisor, socketPath, port } = await supervised();
  const events: AdminPortEvent[] = [];
  const record = (event: unknown): void => void events.push(event as AdminPortEvent);
  adminPortEvents.subscribe(record);
  onTestFinished(() => void adminPortEvents.unsubscribe(record));
  const taker = createServer();
  const pid = (await whichChildren(supervisor))[0]!.pid as Pid;
  // In the turn in which the port is closed, before the restart.
  onDown(pid, () => taker.listen(port, "127.0.0.1"));
  exit(pid, "kill");
  await until(() => events.length === 1);
  expect(events[0]).toEqual({ host: "127.0.0.1", port, failure: "EADDRINUSE" });
  expect((await ask({ socketPath }, { path: "/health" })).status).toBe(200);
  taker.close();
  await until(() => events.length === 2);
  expect(events[1]).toEqual({ host: "127.0.0.1", port, failure: undefined });
  expect((await ask({ port }, { path: "/health" })).status).toBe(200);
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
