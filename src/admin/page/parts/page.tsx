/** The whole page: process tree, details of the selected process, connection list, charts, reports. */
import { useObservable } from "../live/observable.js";
import { EVERYTHING, listed, selected } from "../live/selection.js";
import { link, tree } from "../live/server-state.js";
import { Banner } from "./banner.js";
import { Charts } from "./charts/charts.js";
import { ConnectionList } from "./connections/connection-list.js";
import { Panel } from "./details/details-panel.js";
import { Dialogs } from "./dialogs.js";
import { Header } from "./header.js";
import { Reports } from "./reports.js";
import { Tree } from "./tree/tree.js";

export function Page() {
  const root = useObservable(tree);
  const chosen = useObservable(selected);
  const filter = useObservable(listed);
  const lost = useObservable(link).state === "lost";
  return (
    <>
      <Header />
      <Banner />
      <div class={`columns${lost ? " stale" : ""}`}>
        <main>
          <section class="card" aria-labelledby="tree-title">
            <div class="title">
              <h2 id="tree-title">Processes</h2>
              <button type="button" class="quiet" onClick={() => listed.set(EVERYTHING)}>
                All connections
              </button>
            </div>
            {root ? <Tree root={root} /> : <p class="empty">Waiting for the server …</p>}
          </section>
          {filter && <ConnectionList filter={filter} />}
          <Charts />
          <Reports />
        </main>
        <Panel pid={chosen} />
      </div>
      <Dialogs />
    </>
  );
}
