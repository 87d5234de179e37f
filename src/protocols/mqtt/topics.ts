/** Topics of MQTT (`home/kitchen/light`), and filters: `+` is one level, `#` at the end all that are left. */

export const isTopic = (topic: string): boolean => topic !== "" && !/[+#]/.test(topic);

export const isFilter = (filter: string): boolean =>
  filter !== "" &&
  filter
    .split("/")
    .every(
      (level, n, { length }) => !/[+#]/.test(level) || level === "+" || (level === "#" && n === length - 1),
    );

/** One level of the filters: those that end here, and the levels below. */
interface Node<T> {
  readonly here: Map<T, 0 | 1>;
  readonly below: Map<string, Node<T>>;
}

const node = <T>(): Node<T> => ({ here: new Map(), below: new Map() });

/** Who has subscribed to what: a tree by level, so that a topic costs its levels and not all filters. */
export class Subscriptions<T> {
  readonly #root: Node<T> = node();

  add(filter: string, member: T, qos: 0 | 1): void {
    let at = this.#root;
    for (const level of filter.split("/")) {
      let next = at.below.get(level);
      if (next === undefined) {
        next = node();
        at.below.set(level, next);
      }
      at = next;
    }
    at.here.set(member, qos);
  }

  delete(filter: string, member: T): void {
    const path: [Node<T>, string][] = [];
    let at: Node<T> | undefined = this.#root;
    for (const level of filter.split("/")) {
      path.push([at, level]);
      at = at.below.get(level);
      if (at === undefined) return;
    }
    at.here.delete(member);
    // Levels without members go, or filters of clients that have gone would stay for ever.
    for (const [parent, level] of path.reverse()) {
      const { here, below } = parent.below.get(level) as Node<T>;
      if (here.size > 0 || below.size > 0) return;
      parent.below.delete(level);
    }
  }

  /** Members whose filters match the topic, each once, with the highest quality of service that it has asked for. */
  match(topic: string): ReadonlyMap<T, 0 | 1> {
    const found = new Map<T, 0 | 1>();
    this.#collect(this.#root, topic.split("/"), 0, found);
    return found;
  }

  #collect({ here, below }: Node<T>, levels: readonly string[], depth: number, found: Map<T, 0 | 1>): void {
    // Topics such as $SYS are not meant by a filter that begins with a wildcard.
    const wild = depth > 0 || !levels[0]?.startsWith("$");
    const all = wild ? below.get("#") : undefined;
    if (all !== undefined) take(all.here, found);
    if (depth === levels.length) return take(here, found);
    const [exact, one] = [below.get(levels[depth] as string), wild ? below.get("+") : undefined];
    if (exact !== undefined) this.#collect(exact, levels, depth + 1, found);
    if (one !== undefined) this.#collect(one, levels, depth + 1, found);
  }
}

function take<T>(members: ReadonlyMap<T, 0 | 1>, found: Map<T, 0 | 1>): void {
  for (const [member, qos] of members) if (qos >= (found.get(member) ?? 0)) found.set(member, qos);
}

/** Whether one filter matches a topic. */
export function matcher(filter: string): (topic: string) => boolean {
  const one = new Subscriptions<true>();
  one.add(filter, true, 0);
  return (topic) => one.match(topic).size > 0;
}
