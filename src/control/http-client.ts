/** HTTP client for the control socket: a connection for each request. */
import { type IncomingMessage, request } from "node:http";

export interface ControlRequest {
  readonly socketPath: string;
  readonly path: string;
  /** JSON; makes it a POST. */
  readonly body?: string | undefined;
  /** Media type of the answer. */
  readonly accept?: string | undefined;
  /** What the client says of itself, for the audit line of a change. */
  readonly client?: string | undefined;
  readonly signal: AbortSignal;
}

/** Resolves with the head of the answer, whose body is still to be read; rejects with the platform's error. */
export function sendRequest(asked: ControlRequest): Promise<IncomingMessage> {
  const { socketPath, path, body, accept = "application/json", client, signal } = asked;
  const headers = {
    accept,
    ...(body !== undefined && { "content-type": "application/json" }),
    ...(client !== undefined && { "user-agent": client }),
  };
  const method = body === undefined ? "GET" : "POST";
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, headers, signal, agent: false }, resolve);
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** The body as text. @throws Error when it is longer than `maxBytes`, or cut off */
export async function readBody(
  response: IncomingMessage,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

/** Error codes of `connect` when no program listens. EINVAL and ENAMETOOLONG: no socket can have such a path. */
export const NOT_LISTENING: readonly unknown[] = [
  "ENOENT",
  "ECONNREFUSED",
  "ENOTDIR",
  "ENOTSOCK",
  "EINVAL",
  "ENAMETOOLONG",
];
