/**
 * Intrusive doubly linked list in insertion order; removal is O(1) and allocates nothing. The owner keeps the head.
 * For lists that every process has: a Set costs more than two fields, and is slower.
 */
export interface ListNode<T> {
  /** The neighbours, in a ring: the head's `listPrev` is the last node. `undefined` while in no list. */
  listPrev: T | undefined;
  listNext: T | undefined;
}

/** @returns the head */
export function appendNode<T extends ListNode<T>>(head: T | undefined, node: T): T {
  const last = head?.listPrev ?? node;
  node.listPrev = last;
  node.listNext = head ?? node;
  last.listNext = node;
  node.listNext.listPrev = node;
  return head ?? node;
}

/** @returns the new head; a node that is in no list changes nothing */
export function removeNode<T extends ListNode<T>>(head: T | undefined, node: T): T | undefined {
  const { listPrev, listNext } = node;
  if (!listPrev || !listNext) return head;
  listPrev.listNext = listNext;
  listNext.listPrev = listPrev;
  node.listPrev = node.listNext = undefined;
  if (node !== head) return head;
  return listNext === node ? undefined : listNext;
}

/** All nodes, oldest first. The list must not change meanwhile. */
export function listNodes<T extends ListNode<T>>(head: T | undefined): T[] {
  const nodes: T[] = [];
  for (let node = head; node; node = node.listNext === head ? undefined : node.listNext) nodes.push(node);
  return nodes;
}
