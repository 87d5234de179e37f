/** What the tests of the admin room share: a server on a free port and a control socket, and its clients. */
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Admin, type AdminOptions, startAdmin } from "../../src/admin/admin.js";
import type { AdminError } from "../../src/admin/errors.js";
import { FakeControl } from "./fake-control.js";

export const TOKEN = "0123456789abcdef0123456789abcdef";

/** A folder of mode 0700 that is gone after the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "drover-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface Running extends Admin {
  readonly control: FakeControl;
  readonly socketPath: string;
}

export async function running(options: Partial<AdminOptions> = {}): Promise<Running> {
  const control = new FakeControl();
  const socketPath = options.socketPath ?? join(folder(), "drover.sock");
  const admin = await startAdmin({ control, host: "127.0.0.1", port: 0, ...options, socketPath });
  onTestFinished(() => admin.close());
  return { ...admin, control, socketPath };
}

/** How a start is refused. */
export async function refusal(options: Partial<AdminOptions>): Promise<AdminError> {
  const started = running(options);
  return started.then(
    () => Promise.reject(new Error("Expected a refusal, but it started")),
    (error: AdminError) => error,
  );
}

export interface Question {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: any;
}

/** Where to ask: `{ port }` over TCP, `{ socketPath }` over the control socket. */
export type Where = { readonly port: number } | { readonly socketPath: string };

export function ask(where: Where, { method = "GET", path, headers = {}, body }: Question): Promise<Answer> {
  const target = "port" in where ? { host: "127.0.0.1", port: where.port } : { socketPath: where.socketPath };
  return new Promise((resolve, reject) => {
    const asking = request({ ...target, method, path, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) });
      });
    });
    asking.on("error", reject);
    asking.end(body);
  });
}

/** A POST of JSON, with these headers besides. */
export function post(where: Where, path: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const all = { "content-type": "application/json", ...headers };
  return ask(where, { method: "POST", path, headers: all, body: text });
}

export const BEARER = { authorization: `Bearer ${TOKEN}` };

/** Sends bytes as they are; resolves with all that came back once the other side has closed. */
export function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
}

/** One event of a stream. */
export interface Heard {
  readonly event: string;
  readonly data: any;
}

export interface Listening {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly events: readonly Heard[];
  /** Everything as it came, comments too. */
  readonly text: string;
  readonly ended: boolean;
  /** Goes away. */
  close(): void;
}

/** Listens to a stream of events until the test ends; resolves with the head of the answer. */
export function listenTo(
  where: Where,
  path: string,
  headers: Record<string, string> = {},
): Promise<Listening> {
  const target = "port" in where ? { host: "127.0.0.1", port: where.port } : { socketPath: where.socketPath };
  return new Promise((resolve, reject) => {
    const asking = request({ ...target, path, headers, agent: false }, (response) => {
      const heard = { text: "", ended: false };
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        heard.text += chunk;
      });
      response.on("close", () => {
        heard.ended = true;
      });
      response.on("error", () => {});
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        get events() {
          return [...heard.text.matchAll(/^event: ([^\n]*)\ndata: ([^\n]*)\n\n/gm)].map(([, event, data]) => {
            return { event: event as string, data: parse(data as string) };
          });
        },
        get text() {
          return heard.text;
        },
        get ended() {
          return heard.ended;
        },
        close: () => void asking.destroy(),
      });
    });
    asking.on("error", reject);
    onTestFinished(() => void asking.destroy());
    asking.end();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
