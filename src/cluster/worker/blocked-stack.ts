/** Where a loop hangs, told by another thread: only the inspector can look into a function that does not return. */
import { Session } from "node:inspector";
import { type LogOptions, openLog } from "../../telemetry/log/log.js";
import type { ProtocolModule } from "../release/protocol-module.js";
import { sourcePositions } from "../release/source-maps.js";

/** As much of the inspector's protocol as is needed here. */
interface Paused {
  readonly params: { readonly callFrames: readonly Frame[] };
}

interface Frame {
  readonly functionName: string;
  readonly location: {
    readonly scriptId: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
}

interface Parsed {
  readonly params: { readonly scriptId: string; readonly url: string };
}

/** Writes the main thread's stack to the log, and lets it go on. */
export function logStack(options: LogOptions, bundled: ProtocolModule["bundled"], silentMs: number): void {
  const session = new Session();
  session.connectToMainThread();
  const urls = new Map<string, string>();
  session.on("Debugger.scriptParsed", (message) => {
    const { scriptId, url } = (message as unknown as Parsed).params;
    urls.set(scriptId, url);
  });
  session.once("Debugger.paused", (message) => {
    const { callFrames } = (message as unknown as Paused).params;
    session.post("Debugger.resume", () => session.disconnect());
    const log = openLog(options);
    const stack = callFrames.map(lines(urls, bundled)).join("\n");
    log.error(`the event loop has stood still for ${Math.round(silentMs)} ms: it is here`, { stack });
    log.close();
  });
  session.post("Debugger.enable");
  session.post("Debugger.pause");
}

function lines(
  urls: ReadonlyMap<string, string>,
  bundled: ProtocolModule["bundled"],
): (frame: Frame) => string {
  const place = bundled && sourcePositions(bundled);
  return ({ functionName, location: { scriptId, lineNumber, columnNumber } }) => {
    const [line, column] = [lineNumber + 1, columnNumber + 1];
    const url = urls.get(scriptId) ?? "";
    const own = url === bundled?.name ? place?.(line, column) : undefined;
    return `    at ${functionName || "<anonymous>"} (${own ?? `${url}:${line}:${column}`})`;
  };
}
