/** Server-sent events over the control socket. */
import { type IncomingMessage, request } from "node:http";
import { connectionError, refusedBy, type Target } from "./client.js";

/** Told of one event. What it returns is waited for: a slow terminal slows the server's stream down, not the memory. */
export type OnEvent = (name: string, data: string) => void | Promise<void>;

/** More than the server ever writes in one event. */
const LONGEST = 16 * 1024 * 1024;

/**
 * Follows a stream until it ends or `signal` is aborted.
 * @param onBegin told that the server has agreed
 * @throws CommandError when the server is not there, refuses, or goes away
 */
export async function follow(
  target: Target,
  path: string,
  signal: AbortSignal,
  onEvent: OnEvent,
  onBegin = () => {},
): Promise<void> {
  try {
    const response = await begin(target, path, signal);
    if (response.statusCode !== 200) throw await refusedBy(response);
    response.setEncoding("utf8");
    onBegin();
    let rest = "";
    for await (const chunk of response) {
      rest += chunk;
      const events = rest.split("\n\n");
      rest = events.pop() as string;
      for (const text of events) await tell(text, onEvent);
      if (rest.length > LONGEST) throw new Error("the server's stream cannot be read");
    }
  } catch (error) {
    if (!signal.aborted) throw connectionError(target, error);
  }
}

function begin(target: Target, path: string, signal: AbortSignal) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { accept: "text/event-stream" };
    const asking = request({ socketPath: target.control, path, headers, signal, agent: false }, resolve);
    asking.on("error", reject);
    asking.end();
  });
}

async function tell(text: string, onEvent: OnEvent): Promise<void> {
  const fields = text.split("\n").map((line) => line.split(/: ?(.*)/s) as [string, string]);
  const name = fields.find(([field]) => field === "event")?.[1];
  const data = fields.flatMap(([field, value]) => (field === "data" ? [value] : [])).join("\n");
  if (name !== undefined) await onEvent(name, data);
}
