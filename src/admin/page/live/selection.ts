/** What the operator looks at. */
import { cell } from "./observable.js";

/** The process in the panel; `undefined`: the whole program. */
export const selected = cell<string | undefined>(undefined);

/** Branches that were opened or closed by hand. */
export const opened = cell<ReadonlyMap<string, boolean>>(new Map());

export function setOpen(id: string, open: boolean): void {
  opened.set(new Map(opened.get()).set(id, open));
}

/** Which connections the list shows; `undefined`: it is closed. */
export interface Filter {
  readonly worker: number | undefined;
  readonly state: string | undefined;
}

export const listed = cell<Filter | undefined>(undefined);
