/**
 * The admin server: one table of routes behind two doors, HTTP on a TCP port and the control socket. As an
 * OTP child of the primary it starts first and stops last, so that a server that is draining can be watched.
 */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Control } from "../control/control.js";
import { genServer } from "../otp/gen-server/gen-server.js";
import { onDown } from "../otp/process/process.js";
import { child } from "../otp/supervisor/child.js";
import type { ChildSpec } from "../otp/supervisor/child-spec.js";
import { tcpDoor } from "./access/guard.js";
import { listenControl } from "./control-socket/control-socket.js";
import { bindError } from "./errors.js";
import { adminApp } from "./http/app.js";
import { closeServer, httpServer, listen } from "./http/http-server.js";
import { type Room, rooms } from "./routes/context.js";

export { localToken } from "./access/guard.js";
export { alreadyRunning, type Instance, probeInstance } from "./control-socket/probe.js";
export { AdminError } from "./errors.js";

export interface AdminOptions {
  readonly control: Control;
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Of the control socket. */
  readonly socketPath: string;
  /** What a POST over TCP, and reading from another machine, must bring; without it neither is. At least 32 characters. */
  readonly token?: string | undefined;
}

export interface Admin {
  /** The port that was really taken. */
  readonly port: number;
  /** Ends both doors; may be called again. */
  close(): Promise<void>;
}

/** @throws AdminError, with the exit code that it stands for; then nothing is left open */
export async function startAdmin({ control, host, port, socketPath, token }: AdminOptions): Promise<Admin> {
  const door = tcpDoor(host, token);
  const own = rooms(control, [{ kind: "control" }, door], token);
  const [local, http] = own.map((room) => httpServer(adminApp(control, room))) as [Server, Server];
  // The control socket first: a second instance is to hear that it is one, not that a port is taken.
  await listenControl(local, socketPath);
  try {
    await listen(http, { host, port });
  } catch (error) {
    await closeServer(local);
    const where = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    throw bindError(where, error, "choose another with --admin-port or --admin-host");
  }
  return { port: (http.address() as AddressInfo).port, close: closeOnce([http, local], own) };
}

function closeOnce(servers: readonly Server[], own: readonly Room[]): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => {
    for (const { streams } of own) streams.close();
    closing ??= Promise.all(servers.map(closeServer)).then(() => undefined);
    return closing;
  };
}

export interface AdminChildOptions extends AdminOptions {
  /** Told at every start, restarts included, which port was taken. */
  readonly onListening?: (port: number) => void;
}

const adminServer = genServer({
  name: "admin",
  trapExit: true,
  async init(options: AdminChildOptions, self) {
    let ended = false;
    let admin: Admin | undefined;
    // `terminate` does not run on a kill, and the one that takes this one's place needs the port.
    onDown(self.pid, () => {
      ended = true;
      void admin?.close();
    });
    admin = await startAdmin(options);
    if (ended) await admin.close();
    else options.onListening?.(admin.port);
    return { admin };
  },
  terminate: (self) => self.state.admin.close(),
});

/** The admin server for a supervisor. */
export function adminChild(options: AdminChildOptions): ChildSpec {
  // Reports show `mfargs`: the options hold a token.
  return child(adminServer, options, { id: "admin", mfargs: ["admin", "start_link", []] });
}
