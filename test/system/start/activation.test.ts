/** Socket activation: a listening socket inherited from systemd (sd_listen_fds). */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, linkSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { FrameClient } from "../../support/frames.js";
import { MAIN } from "../../support/program.js";
import { eventually } from "../../support/until.js";

/** Stands in for systemd: LISTEN_PID must be the pid after `exec`. */
const ACTIVATE = 'LISTEN_PID=$$ exec "$@"';
const started: { child: ChildProcess; dir: string }[] = [];

afterEach(async () => {
  for (const { child, dir } of started.splice(0)) {
    const closed = new Promise((resolve) => child.once("close", resolve));
    if (child.exitCode === null && child.kill("SIGKILL")) await closed;
    rmSync(dir, { recursive: true, force: true });
  }
});

/** Listens like a socket unit: bound, without accepting. */
async function socketUnit(path?: string): Promise<{ unit: Server; fd: number; port: number }> {
  const unit = createServer();
  await new Promise<void>((resolve) =>
    path ? unit.listen(path, resolve) : unit.listen(0, "127.0.0.1", resolve),
  );
  const address = unit.address() as { port: number } | string;
  const { fd } = (unit as unknown as { _handle: { fd: number } })._handle;
  return { unit, fd, port: typeof address === "string" ? 0 : address.port };
}

/** @param config content of `acme.json`, for `--config=acme.json` */
function activate(
  fds: number | readonly number[],
  args: readonly string[] = [],
  env: Record<string, string> = {},
  config: object = {},
) {
  const dir = mkdtempSync(join(tmpdir(), "drover-activation-"));
  writeFileSync(join(dir, "acme.json"), JSON.stringify(config));
  const node = process.env.NODE ?? process.execPath;
  const argv = ["-c", ACTIVATE, "sh", node, MAIN, "start", "--workers=2", "--admin-port=0", ...args];
  const child = spawn("sh", argv, {
    cwd: dir,
    env: { PATH: process.env.PATH, HOME: dir, XDG_RUNTIME_DIR: dir, LISTEN_FDS: "1", ...env },
    stdio: ["ignore", "pipe", "pipe", ...[fds].flat()],
  });
  started.push({ child, dir });
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<{ code: number | null; stderr: string; stdout: string }>((resolve) => {
    child.once("close", (code) => resolve({ code, stderr, stdout }));
  });
  const said = (what: string) => eventually(() => stdout.includes(what));
  return { child, ended, said };
}

test("clients that connected before it was started are served, and it says where it listens", async () => {
  const { unit, fd, port } = await socketUnit();
  // The test process must not accept them.
  (unit as unknown as { _handle: { onconnection: unknown; close(): void } })._handle.onconnection = () => {};
  const { child, ended, said } = activate(fd);
  unit.close();
  const client = await FrameClient.connect(port);
  expect(await client.ask("hello")).toBe("hello");
  client.end();
  await said(`serves echo on 127.0.0.1:${port} with 2 workers`);
  child.kill("SIGTERM");
  expect((await ended).code).toBe(0);
});

test("variables that are meant for another OS process are passed over", async () => {
  const { unit, fd } = await socketUnit();
  const dir = mkdtempSync(join(tmpdir(), "drover-activation-"));
  const child = spawn(
    process.env.NODE ?? process.execPath,
    [MAIN, "start", "--workers=1", "--port=0", "--host=127.0.0.1", "--admin-port=0"],
    {
      env: { PATH: process.env.PATH, XDG_RUNTIME_DIR: dir, LISTEN_FDS: "1", LISTEN_PID: "1" },
      stdio: ["ignore", "pipe", "inherit", fd],
    },
  );
  started.push({ child, dir });
  let stdout = "";
  await new Promise<void>((resolve) => {
    child.stdout?.on("data", (chunk) => {
      stdout += chunk;
      if (stdout.includes(" serves echo ")) resolve();
    });
  });
  unit.close();
});

test("what cannot be served is refused with one line that says what to do", async () => {
  const { unit, fd } = await socketUnit();
  const several = await activate(fd, [], { LISTEN_FDS: "2" }).ended;
  expect(several).toMatchObject({ code: 78, stderr: expect.stringContaining("one ListenStream=") });
  const address = await activate(fd, ["--port=4000"]).ended;
  expect(address).toMatchObject({ code: 78, stderr: expect.stringContaining("remove port") });
  const path = join(mkdtempSync(join(tmpdir(), "drover-unit-")), "unit.sock");
  const { unit: local } = await socketUnit(path);
  const { port } = unit.address() as AddressInfo;
  for (const address of [{ port, host: "127.0.0.1" }, { path }]) {
    const connection = connect(address);
    await once(connection, "connect");
    const accepted = await activate((connection as unknown as WithHandle)._handle.fd).ended;
    expect(accepted).toMatchObject({ code: 78, stderr: expect.stringContaining("set Accept=no") });
    connection.destroy();
  }
  for (const one of [unit, local]) one.close();
  const datagrams = createSocket("udp4").bind(0, "127.0.0.1");
  await once(datagrams, "listening");
  const kind = await activate((datagrams as unknown as WithHandle)._handle.fd).ended;
  expect(kind).toMatchObject({
    code: 78,
    stderr: expect.stringContaining("file descriptor 3 is not a TCP or UNIX socket"),
  });
  datagrams.close();
});

test("listeners get theirs by name, TCP or UNIX, and the file is left to the program that has bound it", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "drover-unit-")), "unit.sock");
  const [{ unit, fd }, tcp] = [await socketUnit(path), await socketUnit()];
  linkSync(path, `${path}.kept`);
  const listeners = [
    { name: "devices", protocol: "echo", systemd: "acme-tcp" },
    { name: "ops", protocol: "echo", systemd: "acme-unix" },
  ];
  const { child, ended, said } = activate(
    [fd, tcp.fd],
    ["--config=acme.json"],
    { LISTEN_FDS: "2", LISTEN_FDNAMES: "acme-unix:acme-tcp" },
    { listeners },
  );
  // The test process must not accept; closing removes the file.
  for (const one of [unit, tcp.unit]) one.close();
  renameSync(`${path}.kept`, path);
  await said(`serves devices (echo on 127.0.0.1:${tcp.port}), ops (echo on ${path}) with 2 workers`);
  const client = await FrameClient.connect(tcp.port);
  expect(await client.ask("hello")).toBe("hello");
  client.end();
  const socket = connect(path);
  socket.write(Buffer.from([0, 2, 104, 105]));
  expect([...(await once(socket, "data"))[0]]).toEqual([0, 2, 104, 105]);
  socket.destroy();
  child.kill("SIGTERM");
  expect((await ended).code).toBe(0);
  expect(existsSync(path)).toBe(true);
});

interface WithHandle {
  readonly _handle: { readonly fd: number };
}
