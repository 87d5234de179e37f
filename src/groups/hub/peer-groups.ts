/** Groups that have members on other servers, as these servers say: how many each of them has, not which. */

export class PeerGroups<N> {
  readonly #groups = new Map<string, Map<N, number>>();

  /** Number of groups. */
  get size(): number {
    return this.#groups.size;
  }

  names(): Iterable<string> {
    return this.#groups.keys();
  }

  /** Servers that have members of a group. */
  of(group: string): Iterable<N> {
    return this.#groups.get(group)?.keys() ?? [];
  }

  /** Members of a group on all other servers. */
  count(group: string): number {
    let count = 0;
    for (const members of this.#groups.get(group)?.values() ?? []) count += members;
    return count;
  }

  countAt(peer: N, group: string): number {
    return this.#groups.get(group)?.get(peer) ?? 0;
  }

  set(peer: N, group: string, members: number): void {
    const peers = this.#groups.get(group);
    if (members > 0) {
      if (peers) peers.set(peer, members);
      else this.#groups.set(group, new Map([[peer, members]]));
    } else if (peers?.delete(peer) && peers.size === 0) this.#groups.delete(group);
  }

  /** Groups of which a server has members. */
  groupsOf(peer: N): string[] {
    return [...this.#groups].flatMap(([group, peers]) => (peers.has(peer) ? group : []));
  }
}
