/** Banners: server unreachable, suspended, draining, stopping; and the message after an action. */
import { useEffect, useState } from "preact/hooks";
import type { Draining } from "../../../control/program.js";
import { clockTime } from "../../../text/clock-time.js";
import { request, tokenDialog } from "../live/dialog-state.js";
import { useObservable } from "../live/observable.js";
import { notice, resuming } from "../live/operator-actions.js";
import { link, stats } from "../live/server-state.js";
import { visible } from "../live/visibility.js";
import { count, duration } from "../model/format.js";
import { ask } from "../net/request.js";

export function Banner() {
  const now = useObservable(link);
  const status = useObservable(stats)?.status;
  return (
    <>
      {now.state === "lost" && <Lost />}
      {now.state === "live" && (status === "draining" || status === "drained") && <Drain />}
      {now.state === "live" && status === "suspended" && (
        <p class="banner warn" role="status">
          <strong>Suspended.</strong> New connections wait in the backlog.
          <button type="button" onClick={() => request(resuming())}>
            Resume
          </button>
        </p>
      )}
      {now.state === "live" && status === "stopping" && (
        <p class="banner warn" role="status">
          <strong>Stopping.</strong> The server is shutting down.
        </p>
      )}
      <Notice />
    </>
  );
}

function Lost() {
  const now = useObservable(link);
  if (now.state !== "lost") return null;
  const { problem, since } = now;
  const gone = problem.kind === "gone";
  return (
    <div class="banner bad" role="alert">
      <p>
        <strong>{gone ? "The server does not respond." : problem.message}</strong>{" "}
        {gone
          ? `Unreachable since ${clockTime(since)}; the page shows the state of that time and retries automatically.`
          : "The page retries automatically."}
        {gone && (
          <>
            {" "}
            A restarted server has a new token: run <code>drover page</code> and open the URL it prints.
          </>
        )}
      </p>
      {problem.kind === "token" && (
        <button type="button" onClick={() => tokenDialog.set({ why: undefined })}>
          Enter the token
        </button>
      )}
    </div>
  );
}

function Drain() {
  const [drain, setDrain] = useState<Draining | undefined>(undefined);
  const current = useObservable(stats);
  useEffect(() => {
    if (!visible.get()) return;
    void ask<Draining>("/drain").then((answer) => answer.ok && setDrain(answer.value));
  }, [current?.at]);
  if (!drain) return null;
  const { status, before, active, remainingMs, cut } = drain;
  return (
    <p class="banner warn" role="status">
      {status === "draining" ? (
        <span>
          <strong>Draining.</strong> {count(active)} of {count(before)} connections remain; in{" "}
          {duration(remainingMs)} they are told to stop.
        </span>
      ) : (
        <span>
          <strong>Drained.</strong> {count(before - cut)} of {count(before)} connections finished,{" "}
          {count(cut)} were told to stop.
        </span>
      )}
      <button type="button" onClick={() => request(resuming())}>
        Resume
      </button>
    </p>
  );
}

/** Milliseconds for which the message stays. */
const NOTICE_TIME = 6_000;

function Notice() {
  const text = useObservable(notice);
  useEffect(() => {
    if (text === undefined) return undefined;
    const timer = setTimeout(() => notice.set(undefined), NOTICE_TIME);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div class="notice" role="status">
      {text !== undefined && <p>{text}</p>}
    </div>
  );
}
