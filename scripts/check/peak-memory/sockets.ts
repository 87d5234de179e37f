// Clients that send and never read: plain sockets, and TLS.
import { connect, type Socket } from "node:net";
import { connect as connectSecure } from "node:tls";

const HOST = "127.0.0.1";
/** At once: more would overflow the backlog. */
const AT_ONCE = 100;

export function frameOf(payload: string | Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(Buffer.byteLength(payload));
  return Buffer.concat([header, Buffer.from(payload)]);
}

export type Open = (port: number) => Socket;

export const plain: Open = (port) => connect({ port, host: HOST });
export const secure: Open = (port) => connectSecure({ port, host: HOST, rejectUnauthorized: false });

/** Clients that have connected. Each is given up silently when the server ends it. */
export async function open(count: number, port: number, how: Open = plain): Promise<Socket[]> {
  const sockets: Socket[] = [];
  const event = how === secure ? "secureConnect" : "connect";
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () => how(port));
    await Promise.all(some.map((socket) => connected(socket, event)));
    sockets.push(...some);
  }
  return sockets;
}

function connected(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve) => {
    socket.on("error", () => resolve()).once(event, () => resolve());
  });
}

/** Writes the bytes again and again, as fast as the server takes them, until the socket ends. */
export function flood(socket: Socket, bytes: Buffer): void {
  const more = () => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on("drain", more);
  more();
}
