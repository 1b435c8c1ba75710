// Questions to lists of blocks that stay fast with tens of thousands of them: what covers an address, where do two lists meet.
import { type Cidr, compareCidrs, contains, overlaps, sizeOf } from '../base/cidr.ts';

/** The blocks in order, each once, without those that lie inside another. */
export function disjoint(cidrs: readonly Cidr[]): Cidr[] {
  const result: Cidr[] = [];
  for (const cidr of [...cidrs].sort(compareCidrs)) {
    const last = result.at(-1);
    if (last === undefined || !contains(last, cidr)) result.push(cidr);
  }
  return result;
}

/** The block of `ranges` (as `disjoint` returns them) that holds the whole of `cidr`. O(log n). */
export function coverOf(ranges: readonly Cidr[], cidr: Cidr): Cidr | undefined {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range !== undefined && compareCidrs(range, cidr) <= 0) low = middle + 1;
    else high = middle;
  }
  const candidate = ranges[low - 1];
  return candidate !== undefined && contains(candidate, cidr) ? candidate : undefined;
}

/** Every pair of blocks, one of each list (as `disjoint` returns them), that share an address. O(n + m). */
export function meetings(a: readonly Cidr[], b: readonly Cidr[]): (readonly [Cidr, Cidr])[] {
  const result: (readonly [Cidr, Cidr])[] = [];
  let i = 0;
  let j = 0;
  for (;;) {
    const left = a[i];
    const right = b[j];
    if (left === undefined || right === undefined) return result;
    if (overlaps(left, right)) result.push([left, right]);
    if (endsFirst(left, right)) i++;
    else j++;
  }
}

function endsFirst(a: Cidr, b: Cidr): boolean {
  if (a.family !== b.family) return a.family < b.family;
  return a.start + sizeOf(a) < b.start + sizeOf(b);
}
