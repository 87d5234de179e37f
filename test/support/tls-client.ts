/** TLS client: verifies the server against the CA of the tests, unless told otherwise. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { certificateFile, certificatePem } from "./certificates/certificates.js";
import { Client } from "./client.js";
import { until } from "./until.js";

export const CA: string = readFileSync(certificateFile("ca.crt"), "utf8");

export class TlsClient extends Client {
  declare readonly socket: TLSSocket;
  /** The TCP connection below. */
  readonly raw: Socket;

  constructor(socket: TLSSocket, raw: Socket) {
    super(socket);
    this.raw = raw;
  }

  /** Resolves when the handshake is done. @throws its error */
  static async secure(port: number, options: ConnectionOptions = {}): Promise<TlsClient> {
    const client = await TlsClient.begin(port, options);
    await once(client.socket, "secureConnect");
    // The tickets of TLS 1.3 follow the handshake: with them unread a later RST would look like FIN (libuv).
    const { bytesRead } = client.raw;
    const { socket } = client;
    if (socket.getProtocol() === "TLSv1.3" && !socket.isSessionReused())
      await until(() => client.raw.bytesRead > bytesRead);
    return client;
  }

  /** Resolves when TCP is connected. */
  static async begin(port: number, options: ConnectionOptions = {}): Promise<TlsClient> {
    const raw = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    await once(raw, "connect");
    raw.on("error", () => {});
    const socket = connectTls({ socket: raw, ca: CA, servername: "localhost", ...options });
    return new TlsClient(socket, raw);
  }

  /** Closes with RST, and so without close_notify. */
  override reset(): this {
    this.raw.resetAndDestroy();
    return this;
  }
}

export { certificatePem };
