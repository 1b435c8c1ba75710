// Durations as people write them: 90s, 10m, 1h30m.
import { usageError } from '../base/errors.ts';

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const whole = /^(?:\d{1,6}(?:ms|s|m|h))+$/;

/**
 * Milliseconds of a duration such as `90s`, `10m` or `1h30m`, the form that helm and kubectl take.
 * @throws IsthmusError (usage) for anything else, and for zero
 */
export function parseDuration(text: string, flag: string): number {
  if (!whole.test(text)) throw durationError(text, flag);
  let total = 0;
  for (const match of text.matchAll(/(\d+)(ms|s|m|h)/g)) total += Number(match[1]) * units[match[2] as keyof typeof units];
  if (total === 0) throw durationError(text, flag);
  return total;
}

function durationError(text: string, flag: string): Error {
  return usageError(`${flag} ${JSON.stringify(text)} is not a duration`, { hint: 'Write for example 90s, 10m or 1h30m.' });
}
