/** Details of the selected process or of the program; on a phone it covers the tree. */
import { useEffect, useRef } from "preact/hooks";
import { useObservable } from "../../live/observable.js";
import { selected } from "../../live/selection.js";
import { tree } from "../../live/server-state.js";
import { ProcessPanel } from "./process-details.js";
import { ProgramPanel } from "./program-details.js";

export function Panel({ pid }: { pid: string | undefined }) {
  const root = useObservable(tree)?.pid;
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    if (pid !== undefined) place.current?.scrollTo({ top: 0 });
  }, [pid]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && pid !== undefined) {
      event.stopPropagation();
      closePanel(pid);
    }
  };
  return (
    <aside
      ref={place}
      class={`card panel${pid === undefined ? "" : " open"}`}
      aria-label="Details"
      onKeyDown={onKeyDown}
    >
      {pid === undefined || pid === root ? (
        <ProgramPanel closable={pid !== undefined} />
      ) : (
        <ProcessPanel key={pid} pid={pid} onClose={() => closePanel(pid)} />
      )}
    </aside>
  );
}

/** Returns the focus to the process in the tree. */
function closePanel(pid: string): void {
  selected.set(undefined);
  const nodes = [...document.querySelectorAll<SVGElement>('[role="treeitem"]')];
  nodes.find(({ dataset }) => dataset.id === pid)?.focus();
}
