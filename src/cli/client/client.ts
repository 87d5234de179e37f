/** Requests of the commands to the server over the control socket; what goes wrong is one line each. */
import type { IncomingMessage } from "node:http";
import { basename } from "node:path";
import { type Config, EXIT, environment } from "../../config/config.js";
import type { AskFailure } from "../../control/groups.js";
import { NOT_LISTENING, readBody, sendRequest } from "../../control/http-client.js";
import { CommandError } from "../errors.js";
import { runningNames } from "./running-names.js";

/** The server that a command talks to. */
export type Target = Pick<Config, "name" | "control"> & {
  /** Response timeout in milliseconds. Default: 5000. */
  readonly timeout?: number | undefined;
};

export const TIMEOUT = 5_000;

/** For audit lines: which of several users of one account, or of `sudo`, gave the command. */
export const CLIENT = clientText();

function clientText(): string {
  const { SUDO_USER: user = "" } = environment();
  const sudo = /^[\w.@-]{1,40}$/.test(user) ? `, sudo by ${user}` : "";
  return `drover command (uid ${process.getuid?.() ?? "unknown"}, os pid ${process.pid}${sudo})`;
}

/** @throws CommandError */
export function get(target: Target, path: string): Promise<unknown> {
  return ask(target, path);
}

/** @throws CommandError */
export function post(target: Target, path: string, body: object): Promise<unknown> {
  return ask(target, path, JSON.stringify(body));
}

/** The answer with its status: of routes whose 503 is an answer. @throws CommandError */
export async function getAnswer(
  target: Target,
  path: string,
): Promise<{ readonly status: number; readonly value: unknown }> {
  return exchange(target, path);
}

async function ask(target: Target, path: string, body?: string): Promise<unknown> {
  const { status, value } = await exchange(target, path, body);
  if (value !== undefined && status < 400) return value;
  throw errorAnswer(status, value);
}

async function exchange(target: Target, path: string, body?: string) {
  const timeout = target.timeout ?? TIMEOUT;
  const signal = AbortSignal.timeout(timeout);
  try {
    const response = await sendRequest({ socketPath: target.control, path, body, client: CLIENT, signal });
    const status = response.statusCode ?? 0;
    return { status, value: parse(await readBody(response)) };
  } catch (error) {
    throw signal.aborted ? timedOut(target, timeout) : await connectionError(target, error);
  }
}

const ASK_EXITS: Readonly<Record<AskFailure, number>> = {
  nobody: EXIT.nobody,
  refused: EXIT.refused,
  busy: EXIT.noAnswer,
  ended: EXIT.noAnswer,
  timeout: EXIT.noAnswer,
  unreachable: EXIT.noAnswer,
};

const EXITS: Readonly<Record<number, number>> = { 400: EXIT.usage, 413: EXIT.refused };

function errorAnswer(status: number, value: unknown): CommandError {
  const { error, code } = (value ?? {}) as { error?: unknown; code?: unknown };
  const message =
    typeof error === "string" ? error : "unexpected answer from the server: compare the versions";
  const exitCode = Object.hasOwn(ASK_EXITS, String(code)) ? ASK_EXITS[code as AskFailure] : undefined;
  return new CommandError(message, exitCode ?? EXITS[status] ?? EXIT.unavailable);
}

/** The error that an unread answer carries. */
export async function errorOf(response: IncomingMessage): Promise<CommandError> {
  return errorAnswer(response.statusCode ?? 0, parse(await readBody(response)));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why the server could not be reached, or stopped answering. */
export async function connectionError({ name, control }: Target, error: unknown): Promise<CommandError> {
  if (error instanceof CommandError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (NOT_LISTENING.includes(code)) {
    const names = await runningNames(control);
    const other = names === "" ? "--name/--control" : `the --name of one that is running: ${names}`;
    const advice = `start it with \`drover start\`, or pass ${other}`;
    // With a --control of its own the name says nothing.
    const usual = basename(control) === `${name}.sock`;
    const missing = usual
      ? `no drover named "${name}" is running here`
      : `no drover is running at ${control}`;
    return new CommandError(`${missing}: ${advice}`);
  }
  if (code === "EACCES" || code === "EPERM") {
    return new CommandError(
      `drover "${name}" belongs to another user: permission denied at ${control}: run the command as that user`,
    );
  }
  return new CommandError(`drover "${name}" closed the connection (${message})`);
}

function timedOut({ name, control }: Target, timeout: number): CommandError {
  return new CommandError(`drover "${name}" did not answer within ${timeout / 1000} s at ${control}`);
}
