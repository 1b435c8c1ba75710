// Where the built program is.
import { join } from 'node:path';

export const packageFolder = join(import.meta.dirname, '..', '..');
export const cli = join(packageFolder, 'dist', 'cli.js');
