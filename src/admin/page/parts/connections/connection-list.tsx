/** List of connections, filtered and sorted by the server. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ConnectionList as Listing } from "../../../../control/connections.js";
import { useObservable } from "../../live/observable.js";
import { type Filter, listed } from "../../live/selection.js";
import { link, stats } from "../../live/server-state.js";
import { untilVisible } from "../../live/visibility.js";
import { count } from "../../model/format.js";
import type { Problem } from "../../net/problem.js";
import { ask } from "../../net/request.js";
import { ConnectionRows, type Order } from "./connection-rows.js";

const FIRST_ROWS = 200;
const MOST_ROWS = 10_000;
const REFRESH = 2_000;
/** With more than 1,000 rows, because the response costs the server more. */
const SLOW_REFRESH = 6_000;
const TYPING = 250;

export function ConnectionList({ filter }: { filter: Filter }) {
  const [peer, setPeer] = useState("");
  const [order, setOrder] = useState<Order>({ sort: "pid", order: "asc" });
  const [limit, setLimit] = useState(FIRST_ROWS);
  const title = useRef<HTMLHeadingElement>(null);
  const { listing, problem } = useListing(pathOf(filter, peer, order, limit), limit);

  useEffect(() => {
    title.current?.closest("section")?.scrollIntoView({ block: "nearest" });
    title.current?.focus({ preventScroll: true });
  }, []);
  useEffect(() => setLimit(FIRST_ROWS), [filter.worker, filter.listener, filter.state, peer]);

  return (
    <section class="card connections" aria-labelledby="connections-title">
      <div class="title">
        <h2 id="connections-title" ref={title} tabIndex={-1}>
          Connections
        </h2>
        <span class="muted" role="status">
          {listing && `${count(listing.matched)} of ${count(listing.total)}`}
        </span>
        <button type="button" class="quiet" onClick={() => listed.set(undefined)}>
          Close
        </button>
      </div>
      <Search filter={filter} onPeer={setPeer} />
      {problem && <p class="problem">{problem.message}</p>}
      {listing && (
        <ConnectionRows
          listing={listing}
          order={order}
          onOrder={setOrder}
          onEnd={() => setLimit((now) => Math.min(MOST_ROWS, now * 4))}
        />
      )}
    </section>
  );
}

function Search({ filter, onPeer }: { filter: Filter; onPeer: (peer: string) => void }) {
  const { workers = [], listeners = [] } = useObservable(stats) ?? {};
  const typing = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const later = (act: (text: string) => void) => (event: { currentTarget: HTMLInputElement }) => {
    const { value } = event.currentTarget;
    clearTimeout(typing.current);
    typing.current = setTimeout(() => act(value.trim()), TYPING);
  };
  return (
    <div class="search">
      <label>
        Peer starts with
        <input type="search" placeholder="10.0.0." onInput={later(onPeer)} />
      </label>
      <label>
        State
        <input
          key={filter.state ?? ""}
          type="search"
          placeholder="any"
          defaultValue={filter.state ?? ""}
          onInput={later((state) => listed.set({ ...filter, state: state === "" ? undefined : state }))}
        />
      </label>
      <Choice
        name="Worker"
        values={workers.map(({ worker }) => String(worker))}
        chosen={filter.worker === undefined ? undefined : String(filter.worker)}
        onChoose={(worker) =>
          listed.set({ ...filter, worker: worker === undefined ? undefined : Number(worker) })
        }
      />
      {listeners.length > 1 && (
        <Choice
          name="Listener"
          values={listeners.map(({ listener }) => listener)}
          chosen={filter.listener}
          onChoose={(listener) => listed.set({ ...filter, listener })}
        />
      )}
    </div>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly values: readonly string[];
  /** `undefined`: all. */
  readonly chosen: string | undefined;
  readonly onChoose: (value: string | undefined) => void;
}

function Choice({ name, values, chosen, onChoose }: ChoiceProps) {
  return (
    <label>
      {name}
      <select
        value={chosen ?? ""}
        onChange={({ currentTarget: { value } }) => onChoose(value === "" ? undefined : value)}
      >
        <option value="">all</option>
        {values.map((value) => (
          <option key={value} value={value}>
            {value}
          </option>
        ))}
      </select>
    </label>
  );
}

function pathOf(filter: Filter, peer: string, { sort, order }: Order, limit: number): string {
  const { worker, listener, state } = filter;
  const query = new URLSearchParams({ sort, order, limit: String(limit) });
  if (worker !== undefined) query.set("worker", String(worker));
  if (listener !== undefined) query.set("listener", listener);
  if (state !== undefined) query.set("state", state);
  if (peer !== "") query.set("peer", peer);
  return `/connections?${query}`;
}

interface Listed {
  readonly listing: Listing | undefined;
  readonly problem: Problem | undefined;
}

function useListing(path: string, limit: number): Listed {
  const [found, setFound] = useState<Listed>({ listing: undefined, problem: undefined });
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refresh = async () => {
      await untilVisible();
      if (over) return;
      const answer = await ask<Listing>(path);
      if (over) return;
      // A lost server is shown by the banner; the rows stay.
      if (answer.ok) setFound({ listing: answer.value, problem: undefined });
      else if (answer.problem.kind !== "gone") setFound({ listing: undefined, problem: answer.problem });
      timer = setTimeout(refresh, limit > 1_000 || link.get().state === "lost" ? SLOW_REFRESH : REFRESH);
    };
    void refresh();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [path]);
  return found;
}
