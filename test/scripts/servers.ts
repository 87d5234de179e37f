// Tiny servers for the load generator's tests, each with one fault that the generator must find and name.
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { ErrorKind, LoadResult } from "../../scripts/load/both-sides/result.js";
import { CERTIFICATE, KEY } from "./certificate.js";

export interface TestServer extends AsyncDisposable {
  port: number;
  /** Sockets in the order in which they were accepted. */
  sockets: Socket[];
}

export async function listen(onSocket: (socket: Socket, index: number) => void): Promise<TestServer> {
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    onSocket(socket, sockets.push(socket) - 1);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, sockets, [Symbol.asyncDispose]: close };
}

/** An echo over TLS, with what came before the handshake: the bytes of a PROXY header, if `header` says how many. */
export async function secureEcho(header = 0): Promise<TestServer & { headers: Buffer[] }> {
  const headers: Buffer[] = [];
  const secure = createTlsServer({ cert: CERTIFICATE, key: KEY }, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  secure.on("tlsClientError", () => {});
  const server = await listen((socket) => {
    if (header === 0) return void secure.emit("connection", socket);
    socket.once("readable", () => {
      headers.push(socket.read(header) as Buffer);
      secure.emit("connection", socket);
    });
  });
  return Object.assign(server, { headers });
}

export function echo(): Promise<TestServer> {
  return listen((socket) => void socket.pipe(socket));
}

/** A server that gets one whole {packet,2} frame at a time, header included, and the frame's number. */
export function framed(onFrame: (socket: Socket, frame: Buffer, index: number) => void): Promise<TestServer> {
  return listen((socket) => {
    let rest = Buffer.alloc(0);
    let index = 0;
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const length = 2 + rest.readUInt16BE(0);
        onFrame(socket, rest.subarray(0, length), index++);
        rest = rest.subarray(length);
      }
    });
  });
}

/** A port on which nothing listens. */
export async function refusedPort(): Promise<number> {
  await using server = await listen(() => {});
  return server.port;
}

/** The kinds that were counted at all. */
export function errorsOf(result: LoadResult): Partial<Record<ErrorKind, number>> {
  return Object.fromEntries(Object.entries(result.tally.errors).filter(([, count]) => count > 0));
}
