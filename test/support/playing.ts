/** A connection on a socket that the test plays. */
import { onTestFinished } from "vitest";
import { exit } from "../../src/index.js";
import { Connection } from "../../src/tcp/connection/connection.js";
import { Endpoint, type EndpointOptions } from "../../src/tcp/endpoint.js";
import { Loop } from "../../src/tcp/loop/loop.js";
import { CompiledProtocol } from "../../src/tcp/protocol/compiled/compiled-protocol.js";
import type { AnyProtocol } from "../../src/tcp/protocol/protocol.js";
import { validateProtocol } from "../../src/tcp/protocol/validate/validate.js";
import { FakeSocket } from "./fake-socket.js";
import { turn } from "./until.js";

export async function playing(protocol: AnyProtocol, options: EndpointOptions = {}) {
  validateProtocol(protocol);
  const endpoint = new Endpoint({ loop: new Loop(), ...options });
  const compiled = new CompiledProtocol(protocol, { latency: endpoint.latency });
  const conn = new Connection(endpoint, compiled, undefined);
  const socket = new FakeSocket();
  socket.written = [];
  onTestFinished(() => exit(conn.pid, "kill"));
  conn.socketReady(socket);
  await turn();
  return {
    conn,
    socket,
    endpoint,
    /** Delivers a chunk, and lets the connection come to rest. */
    async receive(bytes: Buffer | string, turns = 3): Promise<void> {
      socket.received.push(Buffer.from(bytes as string));
      socket.deliver();
      await turn(turns);
      socket.deliver();
      await turn();
    },
    async receiveEnd(): Promise<void> {
      socket.fin = true;
      socket.deliver();
      await turn(2);
    },
    get sent(): string {
      return Buffer.concat(socket.written as Buffer[]).toString();
    },
  };
}
