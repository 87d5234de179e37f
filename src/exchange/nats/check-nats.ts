/** Tries the servers of `--nats`, for `drover check`: version, round trip, largest message, permissions. */
import { randomBytes } from "node:crypto";
import { clock } from "../../otp/time/clock.js";
import type { NodesOptions } from "../nodes/options.js";
import { connectOnce, loadClient, type Msg, type NatsClient, type NatsConnection } from "./client.js";
import { Subjects } from "./subjects.js";
import { troubleEvent } from "./trouble.js";

export interface NatsFinding {
  readonly url: string;
  readonly verdict: "ok" | "warning" | "wrong";
  readonly text: string;
}

/** Milliseconds. */
const TIMES = { accept: 3_000, answer: 3_000 };
/** Bytes of a message between servers besides its content; a name has at most 255. */
const HEADERS = 512;
/** Older servers have open security advisories. */
const OLDEST = [2, 10] as const;

/** @param maxMessage largest message of the configuration */
export async function checkNats(nodes: NodesOptions, maxMessage: number): Promise<NatsFinding[]> {
  const client = await loadClient(nodes.nats.client);
  const findings: NatsFinding[] = [];
  for (const url of nodes.nats.servers) findings.push(await checkServer(client, nodes, url, maxMessage));
  return findings;
}

async function checkServer(
  client: NatsClient,
  { nats, cluster, node, outside }: NodesOptions,
  url: string,
  maxMessage: number,
): Promise<NatsFinding> {
  const connections: NatsConnection[] = [];
  const connect = async () => {
    const name = `drover check ${cluster} ${node}`;
    const { connection } = await connectOnce(client, nats, url, name, TIMES);
    connections.push(connection);
    return connection;
  };
  try {
    const connection = await connect();
    await tryPermissions(connection, new Subjects(cluster), outside ? await connect() : undefined);
    const asked = clock.now();
    await connection.flush();
    return describe(connection, url, clock.now() - asked, maxMessage);
  } catch (error) {
    const { level, text } = troubleEvent(error, url, `drover.${cluster}`);
    // The server starts without NATS, and connects when it is there.
    return { url, verdict: level === "error" ? "wrong" : "warning", text };
  } finally {
    for (const connection of connections) connection.close().catch(() => {});
  }
}

/**
 * Everything that a server does. What it publishes is empty, which servers pass over.
 * @param asker another connection, which asks as a client from outside does
 * @throws the first denial
 */
async function tryPermissions(
  connection: NatsConnection,
  subjects: Subjects,
  asker?: NatsConnection,
): Promise<void> {
  let denied: unknown;
  const inbox = `check${randomBytes(8).toString("hex")}`;
  const watching = (async () => {
    for await (const status of connection.status()) if (status.type === "error") denied ??= status.error;
  })();
  watching.catch(() => {});
  const callback = (error: Error | null, message: Msg) => {
    denied ??= error ?? undefined;
    if (!error) message.respond();
  };
  for (const subject of [subjects.inbox(inbox), subjects.all, subjects.gone(inbox, "*")])
    connection.subscribe(subject, { callback });
  connection.publish(subjects.inbox(inbox), new Uint8Array());
  connection.publish(subjects.all, new Uint8Array());
  await connection.flush();
  if (asker) {
    asker.publish(subjects.inbox(inbox), new Uint8Array(), { reply: `_INBOX.${inbox}` });
    await asker.flush();
    // The question has come when the first of these is answered, and a denial of the answer when the second is.
    await connection.flush();
    await connection.flush();
  }
  // Reports of the client come through an iterator, a turn later.
  await new Promise((resolve) => setImmediate(resolve));
  if (denied !== undefined) throw denied;
}

function describe({ info }: NatsConnection, url: string, ms: number, maxMessage: number): NatsFinding {
  const { version = "?", max_payload = 0 } = info ?? {};
  const text = `${url}: version ${version}, round trip ${ms.toFixed(1)} ms, max_payload ${max_payload} bytes, permissions in order`;
  if (max_payload < maxMessage + HEADERS)
    return {
      ...{ url, verdict: "warning" },
      text: `${text}; messages above ${Math.max(0, max_payload - HEADERS)} bytes do not reach other servers: raise max_payload, or lower --max-message ${maxMessage}`,
    };
  if (isOld(version))
    return { url, verdict: "warning", text: `${text}; version 2.10 or newer is recommended` };
  return { url, verdict: "ok", text };
}

function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}
