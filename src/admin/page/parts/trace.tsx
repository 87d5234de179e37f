/** What a process does, as it does it: frames both ways, states, messages. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { TraceLine } from "../../../cluster/control.js";
import { untilVisible, whileVisible } from "../live/visible.js";
import { clockMillis, count, spacedHex } from "../model/format.js";
import { Ring } from "../model/ring.js";
import { inPath } from "../net/ask.js";
import { listen } from "../net/listen.js";

const MOST_LINES = 300;
const DRAW_EVERY = 200;

const WORDS: Readonly<Record<TraceLine["what"], string>> = {
  frame_in: "in",
  frame_out: "out",
  state: "state",
  message: "message",
  call: "call",
  event: "event",
  end: "end",
  dropped: "left out",
};

type As = "both" | "text" | "hex";

/** Traces `pid` for as long as `on` is true. */
export function Trace({ pid, on, onOver }: { pid: string; on: boolean; onOver: () => void }) {
  const [as, setAs] = useState<As>("both");
  const { lines, problem, over } = useTrace(pid, on);
  useEffect(() => {
    if (over) onOver();
  }, [over]);
  if (!on && lines.length === 0 && problem === undefined) return null;
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
      {problem !== undefined && <p class="problem">{problem}</p>}
      {lines.length > 0 ? (
        <Lines lines={lines} as={as} />
      ) : (
        on && <p class="muted">Waiting for a frame, a message or another state …</p>
      )}
    </>
  );
}

type Numbered = TraceLine & { readonly serial: number };

/** The newest stay in view, unless somebody has scrolled up to read. */
function Lines({ lines, as }: { lines: readonly Numbered[]; as: As }) {
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

function Line({ line: { at, what, state, length, text, hex }, as }: { line: TraceLine; as: As }) {
  const size =
    length === undefined ? "" : what === "dropped" ? `${count(length)} lines` : `${count(length)} B`;
  return (
    <div class={`line ${what}`}>
      <time>{clockMillis(at)}</time>
      <span class="what">{WORDS[what] ?? what}</span>
      {what === "state" ? <span>{state}</span> : <span class="muted">{size}</span>}
      {text !== undefined && (as !== "hex" || hex === undefined) && <span class="mono">{text}</span>}
      {hex !== undefined && as !== "text" && <span class="mono hex">{spacedHex(hex)}</span>}
    </div>
  );
}

interface Traced {
  readonly lines: readonly Numbered[];
  readonly problem: string | undefined;
  /** Nothing more will come. */
  readonly over: boolean;
}

function useTrace(pid: string, on: boolean): Traced {
  const [traced, setTraced] = useState<Traced>({ lines: [], problem: undefined, over: false });
  useEffect(() => {
    if (!on) return undefined;
    const gone = new AbortController();
    const ring = new Ring<Numbered>(MOST_LINES);
    let drawing: ReturnType<typeof setTimeout> | undefined;
    const draw = (problem?: string, over = false) => {
      clearTimeout(drawing);
      drawing = undefined;
      if (!gone.signal.aborted) setTraced({ lines: ring.toArray(), problem, over });
    };
    draw();
    void follow(pid, gone.signal, {
      line(line) {
        ring.push({ ...line, serial: ring.taken });
        drawing ??= setTimeout(draw, DRAW_EVERY);
      },
      over: (problem) => draw(problem, true),
    });
    return () => {
      gone.abort();
      clearTimeout(drawing);
    };
  }, [pid, on]);
  return traced;
}

interface Follower {
  line(line: TraceLine): void;
  over(problem: string | undefined): void;
}

/** A hidden page traces nothing; it goes on once it is seen again. */
async function follow(pid: string, gone: AbortSignal, follower: Follower): Promise<void> {
  for (;;) {
    await untilVisible();
    const signal = whileVisible(gone);
    const problem = await listen(`/trace/${inPath(pid)}`, signal, ({ name, data }) => {
      if (name === "trace") follower.line(JSON.parse(data) as TraceLine);
    });
    if (gone.aborted) return;
    if (!signal.aborted) return follower.over(problem?.message);
  }
}
