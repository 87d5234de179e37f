/** The selected process, the open branches of the tree and the filter of the connection list. */
import { observable } from "./observable.js";

/** Pid of the process in the details panel; `undefined`: the whole program. */
export const selected = observable<string | undefined>(undefined);

/** Branches that the operator opened (`true`) or closed (`false`), by id. */
export const opened = observable<ReadonlyMap<string, boolean>>(new Map());

export function setOpen(id: string, open: boolean): void {
  opened.set(new Map(opened.get()).set(id, open));
}

/** Filter of the connection list. */
export interface Filter {
  readonly worker: number | undefined;
  /** Name of a listener. */
  readonly listener: string | undefined;
  readonly state: string | undefined;
}

export const EVERYTHING: Filter = { worker: undefined, listener: undefined, state: undefined };

/** `undefined`: the connection list is closed. */
export const listed = observable<Filter | undefined>(undefined);
