/** Things in the order of their times, of which the nearest to a moment can be had. */

type Draw<Item> = {
  readonly at: number;
  readonly from: number;
  readonly to: number;
  /** Out of how many of the nearest is drawn. */
  readonly most: number;
  readonly fits?: (item: Item) => boolean;
};

export type Series<Item> = {
  add(item: Item): void;
  items(): readonly Item[];
  /** One of the nearest to `at` strictly between `from` and `to`; undefined if none fits. */
  draw(wanted: Draw<Item>, random: () => number): Item | undefined;
  nearest(at: number): Item | undefined;
};

/** How many are looked at on either side before giving up on finding enough that fit. */
const LOOKED_AT = 200;

export function createSeries<Item>(timeOf: (item: Item) => number): Series<Item> {
  const items: Item[] = [];
  let sorted = true;

  const inOrder = () => {
    if (!sorted) items.sort((one, other) => timeOf(one) - timeOf(other));
    sorted = true;
    return items;
  };
  const timeAt = (index: number, otherwise: number) => {
    const item = items[index];
    return item === undefined ? otherwise : timeOf(item);
  };
  /** Index of the first item after a moment. */
  const indexAfter = (at: number) => {
    inOrder();
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (timeAt(middle, 0) <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const draw = ({ at, from, to, most, fits }: Draw<Item>, random: () => number) => {
    const found: Item[] = [];
    let right = indexAfter(at);
    let left = right - 1;
    for (let looked = 0; looked < LOOKED_AT && found.length < most; looked += 1) {
      const before = at - timeAt(left, Number.NEGATIVE_INFINITY);
      const after = timeAt(right, Number.POSITIVE_INFINITY) - at;
      if (before === Number.POSITIVE_INFINITY && after === Number.POSITIVE_INFINITY) break;
      const item = before <= after ? items[left--] : items[right++];
      if (item === undefined) break;
      const time = timeOf(item);
      if (time <= from || time >= to) {
        // The nearest that is left lies outside on this side; go on with the other side only.
        if (time <= from) left = -1;
        else right = items.length;
      } else if (fits === undefined || fits(item)) found.push(item);
    }
    return found[Math.floor(random() * found.length)];
  };

  return {
    add(item) {
      const last = items.at(-1);
      if (last !== undefined && timeOf(last) > timeOf(item)) sorted = false;
      items.push(item);
    },
    items: inOrder,
    draw,
    nearest: (at) => draw({ at, from: -Infinity, to: Infinity, most: 1 }, () => 0),
  };
}
