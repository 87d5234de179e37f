/** The page as a whole: one picture, what is chosen in it, the charts, the reports. */
import { useCell } from "../live/cell.js";
import { link, tree } from "../live/feed.js";
import { listed, selected } from "../live/selection.js";
import { Banner } from "./banner.js";
import { Charts } from "./charts.js";
import { ConnectionList } from "./connections.js";
import { Dialogs } from "./dialogs.js";
import { Header } from "./header.js";
import { Panel } from "./panel.js";
import { Picture } from "./picture.js";
import { Reports } from "./reports.js";

export function Page() {
  const root = useCell(tree);
  const chosen = useCell(selected);
  const filter = useCell(listed);
  const lost = useCell(link).state === "lost";
  return (
    <>
      <Header />
      <Banner />
      <div class={`columns${lost ? " stale" : ""}`}>
        <main>
          <section class="card" aria-labelledby="tree-title">
            <div class="title">
              <h2 id="tree-title">Processes</h2>
              <button
                type="button"
                class="quiet"
                onClick={() => listed.set({ worker: undefined, state: undefined })}
              >
                All connections
              </button>
            </div>
            {root ? <Picture root={root} /> : <p class="empty">Waiting for the server …</p>}
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
