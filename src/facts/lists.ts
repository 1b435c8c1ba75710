// Order of lists, and lists as text: the same everywhere, so that facts and messages never depend on the order of answers.

/** Order by UTF-16 code units, the same on every machine and in every locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** A sorted copy without repetitions. */
export function sortedUnique(texts: Iterable<string>): string[] {
  return [...new Set(texts)].sort(compareText);
}

/** Up to three of the texts and the count of the rest: `a, b, c and 5 more`. */
export function examplesOf(texts: readonly string[]): string {
  const shown = [...texts].sort(compareText).slice(0, 3).join(', ');
  return texts.length > 3 ? `${shown} and ${texts.length - 3} more` : shown;
}

/** A copy of a record with its keys in order; keys from outside, so nothing is looked up by them. */
export function sortedRecord(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => compareText(a, b)));
}
