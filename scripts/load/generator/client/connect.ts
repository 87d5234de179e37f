// How a connection gets to its server: which of the targets, from which source address, with a PROXY header
// before everything else, over TLS or not.
import { createConnection, isIPv6, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface Target {
  host: string;
  port: number;
}

/** A block of IPv4 addresses, as numbers. */
export interface Source {
  first: number;
  count: number;
}

export interface Tls {
  /** PEM of the authorities to trust instead of the system's. */
  ca?: string | undefined;
  /** Whether a certificate that cannot be verified is refused. */
  verify: boolean;
}

export interface Route {
  targets: Target[];
  source?: Source | undefined;
  tls?: Tls | undefined;
  /** Version of the PROXY header to send. */
  proxy?: 1 | 2 | undefined;
}

const V2_SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const V2_PROXY = 0x21;
const V2_TCP4 = 0x11;
const V2_TCP6 = 0x21;

export interface Calls {
  /** The socket can carry frames now. */
  ready(socket: Socket): void;
  /** The first `length` bytes of the chunk have come. Returns whether more may be read; if not, resume the socket. */
  chunk(chunk: Buffer, length: number): boolean;
  /** Every error, before `ready` and after. */
  failed(error: NodeJS.ErrnoException): void;
}

/** Dials the `turn`th connection and reads it into `readBuffer`. Until `ready`, what is returned is what to destroy. */
export function dial(route: Route, turn: number, readBuffer: Buffer, calls: Calls): Socket {
  const { targets, source, tls, proxy } = route;
  const { host, port } = targets[turn % targets.length]!;
  const to = { host, port, noDelay: true, ...(source && { localAddress: addressOf(source, turn) }) };
  const callback = (length: number) => calls.chunk(readBuffer, length);
  const raw = createConnection(tls ? to : { ...to, onread: { buffer: readBuffer, callback } });
  raw.on("error", calls.failed);
  raw.on("connect", () => {
    if (proxy) raw.write(proxyHeader(raw, proxy));
    if (tls) encrypt(raw, host, tls, calls);
    else calls.ready(raw);
  });
  return raw;
}

/** The deadline of the handshake is the caller's: it destroys the raw socket. */
function encrypt(raw: Socket, host: string, { ca, verify }: Tls, calls: Calls): void {
  const name = /[a-z]/i.test(host) && !isIPv6(host) ? { servername: host } : {};
  const secure = connectTls({ socket: raw, rejectUnauthorized: verify, ...(ca && { ca }), ...name });
  secure.on("error", calls.failed);
  // Not `onread`: a TLS socket over one that exists already does without it.
  secure.on("data", (chunk: Buffer) => {
    if (!calls.chunk(chunk, chunk.length)) secure.pause();
  });
  secure.once("secureConnect", () => calls.ready(secure));
}

function addressOf({ first, count }: Source, turn: number): string {
  const address = first + (turn % count);
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");
}

/** The header that a proxy in front of the server would send for the socket's own addresses. */
export function proxyHeader(socket: Socket, version: 1 | 2): Buffer {
  const { localAddress = "", localPort = 0, remoteAddress = "", remotePort = 0 } = socket;
  const six = isIPv6(localAddress);
  if (version === 1) {
    const family = six ? "TCP6" : "TCP4";
    return Buffer.from(`PROXY ${family} ${localAddress} ${remoteAddress} ${localPort} ${remotePort}\r\n`);
  }
  const addresses = Buffer.concat([addressBytes(localAddress), addressBytes(remoteAddress), Buffer.alloc(4)]);
  addresses.writeUInt16BE(localPort, addresses.length - 4);
  addresses.writeUInt16BE(remotePort, addresses.length - 2);
  const head = Buffer.from([V2_PROXY, six ? V2_TCP6 : V2_TCP4, 0, addresses.length]);
  return Buffer.concat([V2_SIGNATURE, head, addresses]);
}

function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const groups = (part: string) => (part ? part.split(":") : []);
  const [before, after] = [groups(head), groups(tail ?? "")];
  const missing =
    tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => "0");
  const bytes = Buffer.alloc(16);
  [...before, ...missing, ...after].forEach(
    (group, i) => void bytes.writeUInt16BE(Number.parseInt(group, 16), i * 2),
  );
  return bytes;
}
