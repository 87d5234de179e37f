/**
 * Admin server: one table of routes, served over HTTP on a TCP port and on the control socket. It is the first
 * child of the primary, so it starts first and stops last: a drain can be watched until its end.
 */
import type { Control } from "../control/control.js";
import { genServer } from "../otp/gen-server/gen-server.js";
import { onDown } from "../otp/process/process.js";
import { child } from "../otp/supervisor/child.js";
import type { ChildSpec } from "../otp/supervisor/child-spec.js";
import { addressText } from "../text/address.js";
import { tcpAccess } from "./access/guard.js";
import { ControlSocket } from "./control-socket/control-socket.js";
import { bindError } from "./errors.js";
import type { AdminChange } from "./events.js";
import { DescriptorReserve } from "./http/descriptor-reserve.js";
import { httpServer, LIMITS } from "./http/http-server.js";
import { LazyApps } from "./http/lazy-apps.js";
import { TcpPort } from "./http/tcp-port.js";

export { localToken } from "./access/guard.js";
export { alreadyRunning, type Instance, probeInstance } from "./control-socket/running-instance.js";
export { checkSocketPath } from "./control-socket/socket-path.js";
export { AdminError } from "./errors.js";
export { type AdminChange, reportChange } from "./events.js";

export interface AdminOptions {
  readonly control: Control;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Path of the control socket. */
  readonly socketPath: string;
  /** Token for a POST over TCP, and for reading from another machine; without one both are refused. At least 32 characters. */
  readonly token?: string | undefined;
  /** Largest message to a process or a group, in bytes. Default 64 KiB. */
  readonly maxMessage?: number;
  /** Called for each change from outside, carried out or not. */
  readonly onChange?: (change: AdminChange) => void;
  /** Called each time that this OS process has no file descriptor left. */
  readonly onShortage?: () => void;
}

export interface Admin {
  /** The bound port. */
  readonly port: number;
  /** Closes the TCP port and the control socket; may be called again. */
  close(): Promise<void>;
}

/** @throws AdminError with an exit code; then nothing is left open */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const { host, port, socketPath } = options;
  const parts = adminParts(options);
  // The control socket first: a second instance then reports that it is one, not that a port is taken.
  const socket = await ControlSocket.open(socketPath, parts.local);
  try {
    const tcp = await TcpPort.open({ host, port }, parts.remote());
    parts.opened();
    return { port: tcp.port, close: closeOnce(tcp, socket, parts) };
  } catch (error) {
    await socket.close();
    throw bindError(addressText(host, port), error, "choose another --admin-port or --admin-host");
  }
}

/** Starts it again after a crash: what cannot be opened now is tried again until it can, with a line in the log. */
async function restartAdmin(options: AdminOptions): Promise<Admin> {
  const { host, port, socketPath } = options;
  const parts = adminParts(options);
  const socket = await ControlSocket.reopen(socketPath, parts.local);
  const tcp = await TcpPort.reopen({ host, port }, parts.remote());
  parts.opened();
  return { port, close: closeOnce(tcp, socket, parts) };
}

/** What both ways in share, and a server for each. */
function adminParts({ host, token, onShortage, ...rest }: AdminOptions) {
  const accesses = [{ kind: "control" }, tcpAccess(host, token)] as const;
  const apps = new LazyApps({ ...rest, accesses, token });
  let reserve: DescriptorReserve | undefined;
  const serve = (at: number) =>
    httpServer(
      () => apps.listener(at),
      LIMITS,
      () => reserve?.isShort ?? false,
    );
  return {
    local: () => serve(0),
    remote: () => serve(1),
    opened: () => {
      apps.opened();
      reserve = new DescriptorReserve(onShortage);
    },
    close: () => {
      apps.close();
      reserve?.close();
    },
  };
}

type Parts = ReturnType<typeof adminParts>;

function closeOnce(tcp: TcpPort, socket: ControlSocket, parts: Parts): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => {
    parts.close();
    closing ??= Promise.all([tcp.close(), socket.close()]).then(() => undefined);
    return closing;
  };
}

export interface AdminChildOptions extends AdminOptions {
  /** Called once with the bound port, which restarts bind again. */
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
  let first: Admin | undefined = await startAdmin(options);
  const { port } = first;
  options.onListening?.(port);
  const open = async () => {
    const admin = first ?? (await restartAdmin({ ...options, port }));
    first = undefined;
    return admin;
  };
  // Reports show `mfargs`, and the options contain the token.
  return child(adminServer, open, { id: "admin", mfargs: ["admin", "start_link", []] });
}
