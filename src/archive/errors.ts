// What is said of an archive that must not be trusted.
import { IsthmusError } from '../base/errors.ts';

/** An archive that breaks a rule: exit code 3, as for everything that was checked and did not hold. */
export function archiveError(message: string, where?: string): IsthmusError {
  return new IsthmusError('findings', message, where === undefined ? {} : { where });
}
