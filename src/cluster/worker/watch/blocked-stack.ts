/** Stack of a blocked event loop, taken through the inspector from another thread: only it can interrupt a running function. */
import { Session } from "node:inspector";
import { type MappedModule, SourcePositions } from "../../../config/modules/positions.js";
import { type LogOptions, openLog } from "../../../telemetry/log/log.js";
import { showPosition } from "../../release/source-maps.js";

/** The parts of the inspector protocol that are used here. */
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

/** Pauses the main thread, logs its stack, and resumes it. One that a debugger has paused is left as it is. */
export function logBlockedStack(
  options: LogOptions,
  modules: readonly MappedModule[],
  blockedMs: number,
): void {
  const session = new Session();
  session.connectToMainThread();
  const urls = new Map<string, string>();
  session.on("Debugger.scriptParsed", (message) => {
    const { scriptId, url } = (message as unknown as Parsed).params;
    urls.set(scriptId, url);
  });
  let asked = false;
  let paused = false;
  // To disconnect while it is paused would resume it.
  session.once("Debugger.resumed", () => session.disconnect());
  session.once("Debugger.paused", (message) => {
    paused = true;
    if (!asked) return;
    const { callFrames } = (message as unknown as Paused).params;
    session.post("Debugger.resume");
    const log = openLog(options);
    const stack = callFrames.map(formatFrame(urls, modules)).join("\n");
    log.error(`Event loop blocked for ${Math.round(blockedMs)} ms and still blocked; see the stack`, {
      stack,
    });
    log.close();
  });
  session.post("Debugger.enable", () => {
    // Where it is paused already, that was reported before this answer.
    if (paused) return;
    asked = true;
    session.post("Debugger.pause");
  });
}

function formatFrame(
  urls: ReadonlyMap<string, string>,
  modules: readonly MappedModule[],
): (frame: Frame) => string {
  const positions = new SourcePositions(modules);
  return ({ functionName, location: { scriptId, lineNumber, columnNumber } }) => {
    const [line, column] = [lineNumber + 1, columnNumber + 1];
    const url = urls.get(scriptId) ?? "";
    const own = positions.find(url, line, column);
    return `    at ${functionName || "<anonymous>"} (${own ? showPosition(own) : `${url}:${line}:${column}`})`;
  };
}
