/** HTTP requests to the server that served this page. */
import { GONE, type Problem, problemOf } from "./problem.js";
import { dropToken, token } from "./token.js";

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

/** Timeout of a request in ms. */
const TIMEOUT = 10_000;

export function ask<T>(path: string): Promise<Answer<T>> {
  return send<T>(path, { headers: authorization() });
}

export function change<T>(path: string, body: Readonly<Record<string, unknown>> = {}): Promise<Answer<T>> {
  return send<T>(path, {
    method: "POST",
    headers: { ...authorization(), "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function send<T>(path: string, init: RequestInit): Promise<Answer<T>> {
  const sent = token.get();
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal: AbortSignal.timeout(TIMEOUT) });
    if (response.ok) return { ok: true, value: (await response.json()) as T };
  } catch {
    // Refused, reset, timed out or cut off: the server is unreachable.
    return { ok: false, problem: GONE };
  }
  return { ok: false, problem: await refusal(response, sent) };
}

export function authorization(): Record<string, string> {
  const value = token.get();
  return value === undefined ? {} : { authorization: `Bearer ${value}` };
}

/**
 * The problem of a refused request. A wrong token is forgotten: sent with every request, it would count as guessing
 * and lock this address out. During a lockout a right one is accepted, so one that is refused is wrong.
 */
export async function refusal(response: Response, sent: string | undefined): Promise<Problem> {
  const { status, headers } = response;
  const body: unknown = await response.json().catch(() => undefined);
  const error = (body as { error?: unknown } | undefined)?.error;
  const retry = Number(headers.get("retry-after") ?? 0);
  const problem = problemOf(status, typeof error === "string" ? error : "", sent !== undefined, retry);
  if ((problem.kind === "token" || problem.kind === "locked") && sent !== undefined && sent === token.get())
    dropToken();
  return problem;
}

/** Encodes a pid for a path. */
export function inPath(pid: string): string {
  return encodeURIComponent(pid);
}
