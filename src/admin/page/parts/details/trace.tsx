/** Trace of a process: frames in both directions, state changes, messages. The last lines, or the full trace. */
import { useEffect, useRef, useState } from "preact/hooks";
import { clockTimeMs } from "../../../../text/clock-time.js";
import type { NumberedLine, Traced } from "../../live/trace-stream.js";
import { spacedHex } from "../../model/format.js";
import { isOwnRequest, lineSummary, WORDS } from "../../model/trace-line.js";

const LAST = 8;

type As = "both" | "text" | "hex";

interface Props {
  readonly traced: Traced;
  /** The process has ended. */
  readonly ended: boolean;
}

/** The full trace. */
export function Trace({ traced: { lines, problem }, ended }: Props) {
  const [as, setAs] = useState<As>("both");
  return (
    <>
      <div class="title inner">
        <h3>Trace</h3>
        <label class="inline">
          <span class="muted">show frames as</span>
          <select value={as} onChange={({ currentTarget }) => setAs(currentTarget.value as As)}>
            <option value="both">text and hex</option>
            <option value="text">text</option>
            <option value="hex">hex</option>
          </select>
        </label>
      </div>
      <Refused problem={problem} />
      {lines.length > 0 ? <Lines lines={lines} as={as} /> : <Nothing ended={ended} />}
    </>
  );
}

/** The last few lines, shortened. */
export function LastMessages({ traced: { lines, problem }, ended }: Props) {
  const last = lines.filter((line) => !isOwnRequest(line)).slice(-LAST);
  return (
    <>
      <h3>Last messages</h3>
      <Refused problem={problem} />
      {last.length > 0 ? (
        <div class="trace short" role="log" aria-live="off" aria-label="Last messages">
          {last.map((line) => (
            <div key={line.serial} class={`line ${line.what}`}>
              <time>{clockTimeMs(line.at)}</time>
              <span class="what">{WORDS[line.what] ?? line.what}</span>
              <span class="content">
                <span class={line.what === "state" ? "" : "muted"}>{lineSummary(line)}</span>{" "}
                <span class="mono">{line.text}</span>
              </span>
            </div>
          ))}
        </div>
      ) : (
        <Nothing ended={ended} />
      )}
    </>
  );
}

function Nothing({ ended }: { ended: boolean }) {
  return (
    <p class="muted">
      {ended ? "None while this process was selected" : "Waiting for a frame, message or state change …"}
    </p>
  );
}

/** Problems other than a lost server and an ended process, which are shown elsewhere. */
function Refused({ problem }: { problem: Traced["problem"] }) {
  if (problem === undefined || problem.kind === "gone" || problem.kind === "missing") return null;
  return <p class="problem">{problem.message}</p>;
}

/** Scrolls with new lines, unless the reader has scrolled up. */
function Lines({ lines, as }: { lines: readonly NumberedLine[]; as: As }) {
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    if (atEnd.current) list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [lines]);
  const onScroll = ({
    currentTarget: { scrollTop, scrollHeight, clientHeight },
  }: {
    currentTarget: HTMLElement;
  }) => {
    atEnd.current = scrollTop + clientHeight > scrollHeight - 20;
  };
  return (
    <div
      class="trace"
      ref={list}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      role="log"
      aria-live="off"
      aria-label="Trace"
      onScroll={onScroll}
    >
      {lines.map((line) => (
        <Line key={line.serial} line={line} as={as} />
      ))}
    </div>
  );
}

function Line({ line, as }: { line: NumberedLine; as: As }) {
  const { at, what, text, hex } = line;
  return (
    <div class={`line ${what}`}>
      <time>{clockTimeMs(at)}</time>
      <span class="what">{WORDS[what] ?? what}</span>
      <span class={what === "state" ? "" : "muted"}>{lineSummary(line)}</span>
      {text !== undefined && (as !== "hex" || hex === undefined) && <span class="mono">{text}</span>}
      {hex !== undefined && as !== "text" && <span class="mono hex">{spacedHex(hex)}</span>}
    </div>
  );
}
