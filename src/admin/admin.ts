/**
 * Admin server: one table of routes, served over HTTP on a TCP port and on the control socket. It is the first
 * child of the primary, so it starts first and stops last: a drain can be watched until its end.
 */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Control } from "../control/control.js";
import { genServer } from "../otp/gen-server/gen-server.js";
import { onDown } from "../otp/process/process.js";
import { child } from "../otp/supervisor/child.js";
import type { ChildSpec } from "../otp/supervisor/child-spec.js";
import { addressText } from "../text/address.js";
import { tcpAccess } from "./access/guard.js";
import { ControlSocket } from "./control-socket/control-socket.js";
import { bindError } from "./errors.js";
import { adminApp } from "./http/app.js";
import { closeServer, httpServer, listen } from "./http/http-server.js";
import { type RouteContext, routeContexts } from "./routes/route-context.js";

export { localToken } from "./access/guard.js";
export { alreadyRunning, type Instance, probeInstance } from "./control-socket/running-instance.js";
export { checkSocketPath } from "./control-socket/socket-path.js";
export { AdminError } from "./errors.js";

export interface AdminOptions {
  readonly control: Control;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Path of the control socket. */
  readonly socketPath: string;
  /** Token for a POST over TCP, and for reading from another machine; without one both are refused. At least 32 characters. */
  readonly token?: string | undefined;
}

export interface Admin {
  /** The bound port. */
  readonly port: number;
  /** Closes the TCP port and the control socket; may be called again. */
  close(): Promise<void>;
}

/** @throws AdminError with an exit code; then nothing is left open */
export async function startAdmin({ control, host, port, socketPath, token }: AdminOptions): Promise<Admin> {
  const contexts = routeContexts(control, [{ kind: "control" }, tcpAccess(host, token)], token);
  const [local, remote] = contexts.map((context) => adminApp(control, context)) as [App, App];
  // The control socket first: a second instance then reports that it is one, not that a port is taken.
  const socket = await ControlSocket.open(socketPath, () => httpServer(local));
  const http = httpServer(remote);
  try {
    await listen(http, { host, port });
  } catch (error) {
    await socket.close();
    throw bindError(addressText(host, port), error, "choose another --admin-port or --admin-host");
  }
  return { port: (http.address() as AddressInfo).port, close: closeOnce(http, socket, contexts) };
}

type App = ReturnType<typeof adminApp>;

function closeOnce(
  http: Server,
  socket: ControlSocket,
  contexts: readonly RouteContext[],
): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => {
    for (const { streams } of contexts) streams.close();
    closing ??= Promise.all([closeServer(http), socket.close()]).then(() => undefined);
    return closing;
  };
}

export interface AdminChildOptions extends AdminOptions {
  /** Called with the bound port at every start, restarts included. */
  readonly onListening?: (port: number) => void;
}

const adminServer = genServer({
  name: "admin",
  trapExit: true,
  async init(open: () => Promise<Admin>, self) {
    let ended = false;
    let admin: Admin | undefined;
    // `terminate` does not run on a kill, and the restarted admin server needs the port.
    onDown(self.pid, () => {
      ended = true;
      void admin?.close();
    });
    admin = await open();
    if (ended) await admin.close();
    return { admin };
  },
  terminate: (self) => self.state.admin.close(),
});

/**
 * Child spec of an admin server that is already open: its first start takes it over, restarts open it again. So a
 * port that is taken is an error of this call, not a crash report of a process.
 * @throws AdminError with an exit code; then nothing is left open
 */
export async function openAdminChild(options: AdminChildOptions): Promise<ChildSpec> {
  let first: Admin | undefined = await openAdmin(options);
  const open = async () => {
    const admin = first ?? (await openAdmin(options));
    first = undefined;
    return admin;
  };
  // Reports show `mfargs`, and the options contain the token.
  return child(adminServer, open, { id: "admin", mfargs: ["admin", "start_link", []] });
}

async function openAdmin(options: AdminChildOptions): Promise<Admin> {
  const admin = await startAdmin(options);
  options.onListening?.(admin.port);
  return admin;
}
