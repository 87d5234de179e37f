/** Server-sent events over the control socket. */
import { sendRequest } from "../../control/http-client.js";
import { EventParser, type ServerEvent } from "../../text/event-stream.js";
import { CLIENT, connectionError, errorOf, type Target } from "./client.js";

/** Gets one event. Its promise is awaited: a slow terminal slows the stream down instead of filling the memory. */
export type OnEvent = (event: ServerEvent) => void | Promise<void>;

/**
 * Follows a stream until it ends or `signal` is aborted.
 * @param onBegin called once the server has accepted the request
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
    const accept = "text/event-stream";
    const response = await sendRequest({ socketPath: target.control, path, accept, client: CLIENT, signal });
    if (response.statusCode !== 200) throw await errorOf(response);
    response.setEncoding("utf8");
    onBegin();
    const parser = new EventParser();
    for await (const chunk of response) {
      for (const event of parser.push(chunk as string)) await onEvent(event);
    }
  } catch (error) {
    if (!signal.aborted) throw await connectionError(target, error);
  }
}
