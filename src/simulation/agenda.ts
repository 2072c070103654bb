/**
 * What is going to happen in a simulated world, the earliest first: a binary heap. Within one millisecond the rank
 * decides, so that a recorded order can be kept; what has no rank comes last, in the order it was planned in.
 */

export type Due<Item> = { readonly at: number; readonly rank: number | undefined; readonly item: Item };

export type Agenda<Item> = {
  add(at: number, rank: number | undefined, item: Item): void;
  /** Takes out the first item if it comes before the given moment, or at it when that has no rank. */
  takeBefore(at: number, rank: number | undefined): Due<Item> | undefined;
};

type Node<Item> = Due<Item> & { readonly number: number };

const LAST = Number.POSITIVE_INFINITY;

export function createAgenda<Item>(): Agenda<Item> {
  const heap: Node<Item>[] = [];
  let number = 0;
  return {
    add(at, rank, item) {
      number += 1;
      siftUp(heap, { at, rank, item, number });
    },
    takeBefore(at, rank) {
      const [first] = heap;
      if (first === undefined || first.at > at) return undefined;
      if (first.at === at && rank !== undefined && (first.rank ?? LAST) >= rank) return undefined;
      const last = heap.pop();
      if (last !== undefined && last !== first) siftDown(heap, last);
      return first;
    },
  };
}

function isBefore<Item>(one: Node<Item>, other: Node<Item>): boolean {
  if (one.at !== other.at) return one.at < other.at;
  const rank = one.rank ?? LAST;
  const otherRank = other.rank ?? LAST;
  return rank === otherRank ? one.number < other.number : rank < otherRank;
}

/** Puts a node at the end and moves it up to its place. */
function siftUp<Item>(heap: Node<Item>[], node: Node<Item>): void {
  let index = heap.length;
  while (index > 0) {
    const above = (index - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || !isBefore(node, parent)) break;
    heap[index] = parent;
    index = above;
  }
  heap[index] = node;
}

/** Puts a node at the top, whose place is free, and moves it down to its place. */
function siftDown<Item>(heap: Node<Item>[], node: Node<Item>): void {
  let index = 0;
  for (;;) {
    let below = 2 * index + 1;
    let child = heap[below];
    const right = heap[below + 1];
    if (child !== undefined && right !== undefined && isBefore(right, child)) {
      below += 1;
      child = right;
    }
    if (child === undefined || !isBefore(child, node)) break;
    heap[index] = child;
    index = below;
  }
  heap[index] = node;
}
