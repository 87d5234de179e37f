/** What everybody has to know before reading on: that the server is gone, draining, or accepts nobody. */
import { useEffect, useState } from "preact/hooks";
import type { Draining } from "../../../control/program.js";
import { clockTime } from "../../../text/clock-time.js";
import { request, tokenAsked } from "../live/dialog-state.js";
import { useCell } from "../live/observable.js";
import { notice, resuming } from "../live/operator-actions.js";
import { link, stats } from "../live/server-state.js";
import { visible } from "../live/visibility.js";
import { count, duration } from "../model/format.js";
import { ask } from "../net/request.js";

export function Banner() {
  const now = useCell(link);
  const status = useCell(stats)?.status;
  return (
    <>
      {now.state === "lost" && <Lost />}
      {now.state === "live" && (status === "draining" || status === "drained") && <Drain />}
      {now.state === "live" && status === "suspended" && (
        <p class="banner warn" role="status">
          <strong>Suspended.</strong> New clients wait in the kernel's queue.
          <button type="button" onClick={() => request(resuming())}>
            Resume
          </button>
        </p>
      )}
      {now.state === "live" && status === "stopping" && (
        <p class="banner warn" role="status">
          <strong>Stopping.</strong> The server was asked to stop.
        </p>
      )}
      <Notice />
    </>
  );
}

function Lost() {
  const now = useCell(link);
  if (now.state !== "lost") return null;
  const { problem, since } = now;
  const gone = problem.kind === "gone";
  return (
    <div class="banner bad" role="alert">
      <p>
        <strong>{gone ? "The server is gone." : problem.message}</strong>{" "}
        {gone
          ? `It has not answered since ${clockTime(since)}; what you see is how it was then. This page tries again by itself.`
          : "This page tries again by itself."}
        {gone && (
          <>
            {" "}
            A server that was started again has a new token: type <code>drover page</code> and open the
            address it prints.
          </>
        )}
      </p>
      {problem.kind === "token" && (
        <button type="button" onClick={() => tokenAsked.set({ why: undefined })}>
          Enter the token
        </button>
      )}
    </div>
  );
}

function Drain() {
  const [drain, setDrain] = useState<Draining | undefined>(undefined);
  const told = useCell(stats);
  useEffect(() => {
    if (!visible.get()) return;
    void ask<Draining>("/drain").then((answer) => answer.ok && setDrain(answer.value));
  }, [told?.at]);
  if (!drain) return null;
  const { status, before, active, remainingMs, cut } = drain;
  return (
    <p class="banner warn" role="status">
      {status === "draining" ? (
        <span>
          <strong>Draining.</strong> {count(active)} of {count(before)} connections are left; in{" "}
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

const SAID_FOR = 6_000;

function Notice() {
  const text = useCell(notice);
  useEffect(() => {
    if (text === undefined) return undefined;
    const timer = setTimeout(() => notice.set(undefined), SAID_FOR);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div class="notice" role="status">
      {text !== undefined && <p>{text}</p>}
    </div>
  );
}
