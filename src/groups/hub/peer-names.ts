/**
 * Names that processes of other servers hold, as these servers say: one row for each server and name. More than one server
 * may have a row for a name, until the older holders have ended. A row costs about 170 bytes.
 */

/** Another server. */
export interface NamePeer {
  readonly node: string;
}

/** What a server says of a name that a process of it holds. */
export interface NameValue {
  readonly token: number;
  readonly worker: number;
  readonly serial: number;
}

/** What a server tells the others of a name. */
export interface ToldName extends NameValue {
  /** The claim waits for the holder, which is a process of another server. */
  readonly pending: boolean;
}

export interface PeerName<N> extends NameValue {
  readonly peer: N;
  /** The row of another server for the same name. */
  readonly next: PeerName<N> | undefined;
}

/** Whether a claim is newer than another: by token, and by node where both are equal. The same on all servers. */
export function isNewer(token: number, node: string, than: number, thanNode: string): boolean {
  return token > than || (token === than && node > thanNode);
}

export class PeerNames<N extends NamePeer> {
  readonly #rows = new Map<string, PeerName<N>>();
  /** The name that was looked for last, and its rows: one step of a claim asks for them up to four times. */
  #lastName = "";
  #last: PeerName<N> | undefined = undefined;

  #rowsOf(name: string): PeerName<N> | undefined {
    if (name !== this.#lastName) {
      this.#last = this.#rows.get(name);
      this.#lastName = name;
    }
    return this.#last;
  }

  /** Number of names. */
  get size(): number {
    return this.#rows.size;
  }

  names(): Iterable<string> {
    return this.#rows.keys();
  }

  /** The row with the newest claim. */
  newest(name: string): PeerName<N> | undefined {
    let newest = this.#rowsOf(name);
    for (let row = newest?.next; row !== undefined; row = row.next)
      if (newest && isNewer(row.token, row.peer.node, newest.token, newest.peer.node)) newest = row;
    return newest;
  }

  /** Whether a server has a row whose claim is older. */
  hasOlder(name: string, token: number, node: string): boolean {
    for (let row = this.#rowsOf(name); row !== undefined; row = row.next)
      if (isNewer(token, node, row.token, row.peer.node)) return true;
    return false;
  }

  get(peer: N, name: string): PeerName<N> | undefined {
    let row = this.#rowsOf(name);
    while (row !== undefined && row.peer !== peer) row = row.next;
    return row;
  }

  /** @param value `undefined`: the server has no such row any more. @returns whether that changes something */
  set(peer: N, name: string, value: NameValue | undefined): boolean {
    const before = this.get(peer, name);
    if (before === undefined && value === undefined) return false;
    if (
      value &&
      before?.token === value.token &&
      before.serial === value.serial &&
      before.worker === value.worker
    )
      return false;
    const others = before ? without(this.#rowsOf(name), before) : this.#rowsOf(name);
    const { token, worker, serial } = value ?? NO_VALUE;
    this.#lastName = name;
    this.#last = value ? { peer, token, worker, serial, next: others } : others;
    if (this.#last) this.#rows.set(name, this.#last);
    else this.#rows.delete(name);
    return true;
  }

  /** Names of which a server has a row. */
  namesOf(peer: N): string[] {
    return [...this.#rows.keys()].filter((name) => this.get(peer, name) !== undefined);
  }
}

const NO_VALUE: NameValue = { token: 0, worker: 0, serial: 0 };

function without<N>(rows: PeerName<N> | undefined, row: PeerName<N>): PeerName<N> | undefined {
  if (rows === undefined || rows === row) return rows?.next;
  return { ...rows, next: without(rows.next, row) };
}
