// Words and order for findings: lists that stay short, and an order that does not depend on the machine's language.

/** Names shown one by one; the rest is counted. */
const maxShown = 5;

/** `a, b and c`, or `a, b, c, d, e and 12 more`. */
export function listText(items: readonly string[]): string {
  if (items.length <= 1) return items.join('');
  if (items.length > maxShown + 1) return `${items.slice(0, maxShown).join(', ')} and ${items.length - maxShown} more`;
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** `1 node`, `3 nodes`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** A word as a shell takes it. */
export function shellQuote(text: string): string {
  return /^[A-Za-z0-9_@.:/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Order of text by code unit, the same on every machine. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Copies of `items` in order of a text of each. */
export function sortBy<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...items].sort((a, b) => compareText(key(a), key(b)));
}
