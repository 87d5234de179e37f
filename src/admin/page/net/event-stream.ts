/** Client for server-sent events with `fetch`: EventSource cannot send an Authorization header. */
import { EventParser, type ServerEvent } from "../../../text/event-stream.js";
import { GONE, type Problem } from "./problem.js";
import { authorization, refusal } from "./request.js";
import { token } from "./token.js";

/** A stream without data for this many ms is lost: the server sends at least a comment every 15 s. */
const SILENCE = 20_000;

/** @returns why the stream ended; `undefined`: closed by the server or aborted by `signal` */
export async function listen(
  path: string,
  signal: AbortSignal,
  onEvent: (event: ServerEvent) => void,
): Promise<Problem | undefined> {
  const sent = token.get();
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE);
  try {
    const any = AbortSignal.any([signal, silence.signal]);
    const response = await fetch(path, { headers: authorization(), signal: any });
    if (!response.ok || !response.body) return await refusal(response, sent);
    const parser = new EventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE);
      for (const event of parser.push(part.value)) onEvent(event);
    }
    return undefined;
  } catch {
    return signal.aborted ? undefined : GONE;
  } finally {
    clearTimeout(timer);
  }
}
