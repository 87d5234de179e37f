/** What a process does, as it does it: frames both ways, states, messages. Its last lines, or many of them whole. */
import { useEffect, useRef, useState } from "preact/hooks";
import { clockTimeMs } from "../../../../text/clock-time.js";
import type { NumberedLine, Traced } from "../../live/trace-stream.js";
import { spacedHex } from "../../model/format.js";
import { aboutLine, isOwnQuestion, WORDS } from "../../model/trace-line.js";

const LAST = 8;

type As = "both" | "text" | "hex";

interface Props {
  readonly traced: Traced;
  /** Nothing more will come. */
  readonly ended: boolean;
}

/** The long view. */
export function Trace({ traced: { lines, problem }, ended }: Props) {
  const [as, setAs] = useState<As>("both");
  return (
    <>
      <div class="title inner">
        <h3>Trace</h3>
        <label class="inline">
          <span class="muted">frames as</span>
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

/** A line for each of the last few. */
export function LastMessages({ traced: { lines, problem }, ended }: Props) {
  const last = lines.filter((line) => !isOwnQuestion(line)).slice(-LAST);
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
                <span class={line.what === "state" ? "" : "muted"}>{aboutLine(line)}</span>{" "}
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
      {ended ? "None came while it was looked at." : "Waiting for a frame, a message or another state …"}
    </p>
  );
}

/** That the server or the process is gone is told elsewhere. */
function Refused({ problem }: { problem: Traced["problem"] }) {
  if (problem === undefined || problem.kind === "gone" || problem.kind === "missing") return null;
  return <p class="problem">{problem.message}</p>;
}

/** The newest stay in view, unless somebody has scrolled up to read. */
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
      <span class={what === "state" ? "" : "muted"}>{aboutLine(line)}</span>
      {text !== undefined && (as !== "hex" || hex === undefined) && <span class="mono">{text}</span>}
      {hex !== undefined && as !== "text" && <span class="mono hex">{spacedHex(hex)}</span>}
    </div>
  );
}
