/** What all clients of the broker share: who they are, what they have subscribed to, and retained messages. */
import { type Pid, send } from "../../index.js";
import { type Filter, type Message, publishPacket } from "./packets.js";
import { matcher, Subscriptions } from "./topics.js";

/** Filters of one client, messages that one has not acknowledged, and retained messages of all. */
export const LIMITS = {
  filters: 100,
  unacknowledged: 1000,
  retained: 10_000,
  retainedBytes: 64 * 1024 * 1024,
};

/** What the broker needs of a connection. */
export interface Subscriber {
  readonly pid: Pid;
  readonly data: Session;
  send(packet: Buffer): boolean;
  room(): Promise<void>;
}

export interface Session {
  clientId: string;
  /** Published when the connection ends without DISCONNECT. */
  will: Message | undefined;
  keepAlive: number;
  readonly filters: Set<string>;
  readonly unacknowledged: Set<number>;
  nextId: number;
  /** Its output is full: messages of quality 0 are dropped until it has drained. */
  full: boolean;
}

const clients = new Map<string, Subscriber>();
const subscriptions = new Subscriptions<Subscriber>();
const retained = new Map<string, Message>();
let retainedBytes = 0;

/** A client that connects again ends its older connection. */
export function enter(client: Subscriber): void {
  const older = clients.get(client.data.clientId);
  if (older !== undefined) send(older.pid, "taken_over");
  clients.set(client.data.clientId, client);
}

export function leave(client: Subscriber): void {
  const { clientId, filters } = client.data;
  for (const filter of filters) subscriptions.delete(filter, client);
  filters.clear();
  if (clients.get(clientId) === client) clients.delete(clientId);
}

/** @returns the qualities of service that are granted; 0x80 refuses */
export function subscribe(client: Subscriber, wanted: readonly Filter[]): number[] {
  const { filters } = client.data;
  return wanted.map(({ filter, qos }) => {
    if (filters.size >= LIMITS.filters && !filters.has(filter)) return 0x80;
    filters.add(filter);
    subscriptions.add(filter, client, qos);
    return qos;
  });
}

export function unsubscribe(client: Subscriber, filter: string): void {
  subscriptions.delete(filter, client);
  client.data.filters.delete(filter);
}

/** Retained messages come behind the acknowledgement of the subscription, as fast as the client reads. */
export async function sendRetained(client: Subscriber, wanted: readonly Filter[]): Promise<void> {
  for (const { filter, qos } of wanted) {
    const fits = matcher(filter);
    for (const message of [...retained.values()].filter(({ topic }) => fits(topic))) {
      if (client.data.full) await client.room();
      client.data.full = false;
      deliver(client, message, qos);
    }
  }
}

/** @returns how many clients it was sent to, and how many have lost it */
export function publish(message: Message): { readonly sent: number; readonly lost: number } {
  if (message.retain) retain(message);
  const live = { ...message, retain: false };
  let [sent, lost] = [0, 0];
  for (const [client, qos] of subscriptions.match(message.topic))
    deliver(client, live, qos) ? sent++ : lost++;
  return { sent, lost };
}

/** An empty message removes what is retained; what is beyond the limits is delivered and not retained. */
function retain(message: Message): void {
  const { topic, payload } = message;
  const bytes = retainedBytes - (retained.get(topic)?.payload.length ?? 0);
  const fits = retained.size < LIMITS.retained && bytes + payload.length <= LIMITS.retainedBytes;
  retained.delete(topic);
  retainedBytes = bytes;
  if (payload.length === 0 || !fits) return;
  retained.set(topic, message);
  retainedBytes += payload.length;
}

/** A client that reads slowly loses messages of quality 0; one that owes too many acknowledgements is ended. */
function deliver(client: Subscriber, message: Message, granted: 0 | 1): boolean {
  const { data } = client;
  const qos = message.qos === 1 && granted === 1 ? 1 : 0;
  if (qos === 0 && data.full) return false;
  if (qos === 1 && data.unacknowledged.size >= LIMITS.unacknowledged) {
    send(client.pid, "slow_client");
    return false;
  }
  data.full = !client.send(publishPacket(message, qos, qos === 1 ? idFor(data) : 0));
  return true;
}

function idFor(data: Session): number {
  do data.nextId = (data.nextId % 0xffff) + 1;
  while (data.unacknowledged.has(data.nextId));
  data.unacknowledged.add(data.nextId);
  return data.nextId;
}
