/** Clients of echo from addresses of the loopback network, where a server may refuse them. */
import { FrameClient } from "./frames.js";

/** A client from this address; `undefined` when it is refused. */
export async function servedClient(port: number, from?: string): Promise<FrameClient | undefined> {
  const client = FrameClient.from(port, from);
  const answer = await client.ask("hi").catch(() => undefined);
  if (answer === "hi") return client;
  client.end();
  return undefined;
}

/** The clients, of this many, that are not refused. */
export async function servedClients(count: number, port: number, from?: string): Promise<FrameClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => servedClient(port, from)));
  return clients.flatMap((client) => client ?? []);
}
