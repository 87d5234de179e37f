// Connects a client to the server: picks target and source address, sends the PROXY header first, starts TLS.
import { createConnection, isIPv6, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { encodeProxyHeader } from "../../../../src/proxy/encode.js";
import type { Route, Source, Tls } from "../../both-sides/options.js";

export interface SocketEvents {
  /** The socket can carry frames now. */
  ready(socket: Socket): void;
  /** The first `length` bytes of the chunk were read. Returns whether to keep reading; if not, resume the socket later. */
  chunk(chunk: Buffer, length: number): boolean;
  /** Called for every error, before `ready` and after. */
  failed(error: NodeJS.ErrnoException): void;
}

/**
 * Opens connection number `index` and reads it into `readBuffer`. Destroy the returned socket to give up before
 * `ready`; from then on use the one that `ready` passes.
 */
export function openSocket(route: Route, index: number, readBuffer: Buffer, events: SocketEvents): Socket {
  const { targets, source, tls, proxy } = route;
  const { host, port } = targets[index % targets.length]!;
  const to = { host, port, noDelay: true, ...(source && { localAddress: addressOf(source, index) }) };
  const callback = (length: number) => events.chunk(readBuffer, length);
  const raw = createConnection(tls ? to : { ...to, onread: { buffer: readBuffer, callback } });
  raw.on("error", events.failed);
  raw.on("connect", () => {
    if (proxy) raw.write(proxyHeader(raw, proxy));
    if (tls) encrypt(raw, host, tls, events);
    else events.ready(raw);
  });
  return raw;
}

/** The caller enforces the deadline of the handshake: it destroys the raw socket. */
function encrypt(raw: Socket, host: string, { ca, verify }: Tls, events: SocketEvents): void {
  const name = /[a-z]/i.test(host) && !isIPv6(host) ? { servername: host } : {};
  const secure = connectTls({ socket: raw, rejectUnauthorized: verify, ...(ca && { ca }), ...name });
  secure.on("error", events.failed);
  // Not `onread`: a TLS socket over an existing socket ignores that option.
  secure.on("data", (chunk: Buffer) => {
    if (!events.chunk(chunk, chunk.length)) secure.pause();
  });
  secure.once("secureConnect", () => events.ready(secure));
}

function addressOf({ first, count }: Source, index: number): string {
  const address = first + (index % count);
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");
}

/** The PROXY header for the socket's own addresses, as a proxy in front of the server would send it. */
function proxyHeader(socket: Socket, version: 1 | 2): Buffer {
  const { localAddress = "", localPort = 0, remoteAddress = "", remotePort = 0 } = socket;
  return encodeProxyHeader({
    version,
    source: { address: localAddress, port: localPort },
    destination: { address: remoteAddress, port: remotePort },
  });
}
