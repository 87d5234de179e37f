/**
 * Reports and log records, newest first. The list is rendered a few times a second at most, and pauses while the
 * reader scrolls or opens a record.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { clockTimeMs } from "../../../text/clock-time.js";
import { useObservable } from "../live/observable.js";
import { records, recordsVersion } from "../live/server-state.js";
import { count } from "../model/format.js";
import { detailsOf, type Entry, isImportant } from "../model/log-entry.js";

const SHOWN = 100;

export function Reports() {
  const version = useObservable(recordsVersion);
  const [all, setAll] = useState(false);
  const [held, setHeld] = useState<{ readonly entries: readonly Entry[]; readonly at: number } | undefined>();
  const list = useRef<HTMLDivElement>(null);
  const fits = all ? () => true : isImportant;
  const fresh = () => records.newest(SHOWN, fits);
  const entries = held?.entries ?? fresh();
  const isNewer = (entry: Entry) => held !== undefined && entry.serial >= held.at && fits(entry);
  const waiting = held === undefined ? 0 : records.newest(records.length, isNewer).length;

  useEffect(() => setHeld(undefined), [all]);
  const hold = () => setHeld((now) => now ?? { entries, at: version });
  const onScroll = () => {
    if ((list.current?.scrollTop ?? 0) > 4) hold();
  };
  const release = () => {
    setHeld(undefined);
    list.current?.scrollTo({ top: 0 });
  };

  return (
    <section class="card" aria-labelledby="reports-title">
      <div class="title">
        <h2 id="reports-title">Reports</h2>
        {held !== undefined && (
          <button type="button" class="quiet accent" onClick={release}>
            {waiting > 0 ? `${count(waiting)} newer` : "Paused"} – show latest
          </button>
        )}
        <label class="check">
          <input
            type="checkbox"
            checked={all}
            onChange={({ currentTarget }) => setAll(currentTarget.checked)}
          />
          All log records
        </label>
      </div>
      {entries.length === 0 ? (
        <p class="empty">
          {all ? "No log records yet" : "No reports: no crash and no restart in the recent log"}
        </p>
      ) : (
        <div
          class="reports"
          ref={list}
          onScroll={onScroll}
          role="log"
          aria-live="off"
          aria-labelledby="reports-title"
        >
          {entries.map((entry) => (
            <Report key={entry.serial} entry={entry} onOpen={hold} />
          ))}
        </div>
      )}
    </section>
  );
}

function Report({ entry, onOpen }: { entry: Entry; onOpen: () => void }) {
  const [open, setOpen] = useState(false);
  const toggle = () => {
    if (!open) onOpen();
    setOpen(!open);
  };
  return (
    <div class={`report ${toneOf(entry)}`}>
      <button type="button" aria-expanded={open} onClick={toggle}>
        <time>{clockTimeMs(entry.at)}</time>
        <span class="level">{entry.report ?? entry.level}</span>
        <span class="who">{entry.who}</span>
        <span class="message">
          {entry.message}
          {entry.about !== undefined && <span class="muted"> {entry.about}</span>}
        </span>
      </button>
      {open && <pre>{detailsOf(entry)}</pre>}
    </div>
  );
}

function toneOf({ level }: Entry): string {
  if (level === "error" || level === "fatal") return "bad";
  return level === "warn" ? "warn" : "plain";
}
