/** Debugger over the inspector's protocol, as an editor speaks it: finds scripts by their source maps, sets breakpoints. */
import { once } from "node:events";
import { get } from "node:http";
import { SourceMap } from "node:module";
import { connect, type Socket } from "node:net";
import { until } from "./until.js";

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: any;
  readonly result?: any;
  readonly error?: any;
}

export interface Place {
  readonly file: string;
  readonly line: number;
}

export class InspectorClient {
  readonly events: Message[] = [];
  readonly #socket: Socket;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #maps = new Map<string, SourceMap>();
  #unread = Buffer.alloc(0);
  #ids = 0;
  closed = false;

  private constructor(socket: Socket, first: Buffer) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk)).on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
    });
    this.#read(first);
  }

  /** What `/json/list` says of the only target. */
  static async target(port: number): Promise<{ readonly webSocketDebuggerUrl: string }> {
    const [response] = await once(
      get({ port, host: "127.0.0.1", path: "/json/list", agent: false }),
      "response",
    );
    let text = "";
    for await (const chunk of response) text += chunk;
    return JSON.parse(text)[0];
  }

  /** Attaches as an editor does: asks for the URL, then opens the WebSocket. */
  static async attach(port: number): Promise<InspectorClient> {
    const { webSocketDebuggerUrl } = await InspectorClient.target(port);
    const url = new URL(webSocketDebuggerUrl);
    const socket = connect(Number(url.port), url.hostname);
    socket.write(
      `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    const [head] = (await once(socket, "data")) as [Buffer];
    const end = head.indexOf("\r\n\r\n");
    if (!head.toString("latin1").startsWith("HTTP/1.1 101")) throw new Error(head.toString("latin1"));
    const client = new InspectorClient(socket, head.subarray(end + 4));
    await client.send("Runtime.enable");
    await client.send("Debugger.enable");
    return client;
  }

  send(method: string, params: object = {}): Promise<any> {
    const id = ++this.#ids;
    const payload = Buffer.from(JSON.stringify({ id, method, params }));
    const length = payload.length < 126 ? Buffer.from([0x80 | payload.length]) : Buffer.alloc(3, 0xfe);
    if (payload.length >= 126) length.writeUInt16BE(payload.length, 1);
    // The mask is zero: the payload goes as it is.
    this.#socket.write(Buffer.concat([Buffer.from([0x81]), length, Buffer.alloc(4), payload]));
    return new Promise((resolve, reject) =>
      this.#answers.set(id, ({ result, error }) =>
        error ? reject(new Error(error.message)) : resolve(result),
      ),
    );
  }

  /** Sets a breakpoint at a line of the user's file, by way of the source map. @returns where it has bound, in the file */
  async breakAt(file: string, line: number): Promise<Place> {
    const script = await until(() => this.#scripts().find(({ url }) => url.endsWith(`/${file}`)));
    const map = this.#mapOf(script);
    const lineNumber = generatedLine(map, file, line);
    const { locations } = await this.send("Debugger.setBreakpointByUrl", { url: script.url, lineNumber });
    return placeOf(map, locations[0]);
  }

  /** Waits until the program is paused. @returns where, in the user's file */
  async paused(): Promise<Place> {
    const event = await until(() => this.events.find(({ method }) => method === "Debugger.paused"), 20_000);
    const { location } = event.params.callFrames[0];
    const script = this.#scripts().find(({ scriptId }) => scriptId === location.scriptId);
    return placeOf(this.#mapOf(script), location);
  }

  detach(): void {
    this.#socket.destroy();
  }

  #scripts(): any[] {
    return this.events.flatMap(({ method, params }) => (method === "Debugger.scriptParsed" ? [params] : []));
  }

  #mapOf({ scriptId, sourceMapURL }: any): SourceMap {
    const known = this.#maps.get(scriptId);
    if (known) return known;
    const [, base64 = ""] = sourceMapURL.split("base64,");
    const map = new SourceMap(JSON.parse(Buffer.from(base64, "base64").toString()));
    this.#maps.set(scriptId, map);
    return map;
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    for (;;) {
      const all = this.#unread;
      if (all.length < 2) return;
      const short = all[1]! & 0x7f;
      const head = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (all.length < head) return;
      const length =
        short === 126 ? all.readUInt16BE(2) : short === 127 ? Number(all.readBigUInt64BE(2)) : short;
      if (all.length < head + length) return;
      this.#unread = all.subarray(head + length);
      if ((all[0]! & 0x0f) !== 1) continue;
      const message = JSON.parse(all.toString("utf8", head, head + length)) as Message;
      if (message.id === undefined) this.events.push(message);
      else this.#answers.get(message.id)?.(message);
    }
  }
}

/** The first generated line that comes from this line of the file. */
function generatedLine(map: SourceMap, file: string, line: number): number {
  for (let at = 0; at < 10_000; at++) {
    for (let column = 0; column < 80; column++) {
      const entry = map.findEntry(at, column);
      if (!("originalLine" in entry) || !entry.originalSource.endsWith(`/${file}`)) continue;
      if (entry.generatedLine === at && entry.originalLine === line - 1) return at;
    }
  }
  throw new Error(`no code comes from ${file}:${line}`);
}

function placeOf(map: SourceMap, { lineNumber, columnNumber }: any): Place {
  const entry = map.findEntry(lineNumber, columnNumber);
  if (!("originalLine" in entry)) throw new Error(`no source for ${lineNumber}:${columnNumber}`);
  return { file: entry.originalSource.split("/").at(-1) as string, line: entry.originalLine + 1 };
}
