/** HTTP over the control socket, and what can go wrong on the way, in one line each. */
import { type IncomingMessage, request } from "node:http";
import { basename } from "node:path";
import { type Config, EXIT } from "../../config/config.js";
import { CommandError } from "../errors.js";

/** The server that is meant. */
export type Target = Pick<Config, "name" | "control" | "shutdown"> & {
  /** How long an answer may take: default 5000. */
  readonly patience?: number | undefined;
};

/** @throws CommandError */
export async function get(target: Target, path: string): Promise<unknown> {
  return ask(target, "GET", path);
}

/** @throws CommandError */
export async function post(target: Target, path: string, body: object): Promise<unknown> {
  return ask(target, "POST", path, JSON.stringify(body));
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(target: Target, method: string, path: string, body?: string): Promise<unknown> {
  const patience = target.patience ?? 5_000;
  const signal = AbortSignal.timeout(patience);
  let answer: Answer;
  try {
    answer = await exchange({ target, method, path, body, signal });
  } catch (error) {
    throw signal.aborted ? hung(target, patience) : connectionError(target, error);
  }
  const value = parse(answer.text);
  if (value !== undefined && answer.status < 400) return value;
  throw refused(answer.status, value);
}

function refused(status: number, value: unknown): CommandError {
  const { error } = (value ?? {}) as { error?: unknown };
  const message =
    typeof error === "string" ? error : "the server gave an answer that this version cannot read";
  return new CommandError(message, status === 400 ? EXIT.usage : EXIT.unavailable);
}

/** The refusal of an answer that has not been read. */
export async function refusedBy(response: IncomingMessage): Promise<CommandError> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return refused(response.statusCode ?? 0, parse(Buffer.concat(chunks).toString()));
}

interface Exchange {
  readonly target: Target;
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

function exchange({ target, method, path, body, signal }: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const options = { socketPath: target.control, method, path, headers, signal, agent: false };
    const asking = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
    });
    asking.on("error", reject);
    asking.end(body);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Errors of `connect` that mean that nobody listens there. */
export const NOBODY: readonly unknown[] = [
  "ENOENT",
  "ECONNREFUSED",
  "ENOTDIR",
  "ENOTSOCK",
  "EINVAL",
  "ENAMETOOLONG",
];

/** Why there is no conversation, in the words of who asked. */
export function connectionError({ name, control }: Target, error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (NOBODY.includes(code)) {
    const advice = "start it with `drover start`, or pass --name/--control";
    // Of a path of its own the name says nothing.
    const usual = basename(control) === `${name}.sock`;
    const who = usual ? `no drover named "${name}" is running here` : `no drover is running at ${control}`;
    return new CommandError(`${who}: ${advice}`);
  }
  if (code === "EACCES" || code === "EPERM") {
    return new CommandError(
      `drover "${name}" belongs to another user: its control socket ${control} refuses you`,
    );
  }
  return new CommandError(`drover "${name}" broke off the conversation (${message})`);
}

function hung({ name, control }: Target, patience: number): CommandError {
  return new CommandError(`drover "${name}" did not answer within ${patience / 1000} s at ${control}`);
}
