// Standard output and standard error, with colour and redrawing only where they can be seen.
import type { Terminal } from './types.ts';

/** The part of a stream that is needed here; process.stdout and process.stderr have it. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

export interface TerminalOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const defaultColumns = 80;

/**
 * Colour: NO_COLOR (any non-empty value) turns it off, else FORCE_COLOR decides (0 and false are off), else stdout being a terminal:
 * a result that goes into a pipe or a file is plain.
 * A reader that closes its end of the pipe early (`isthmus plan | head`) ends the output, not the program.
 */
export function createTerminal({ stdout, stderr, env }: TerminalOptions): Terminal {
  const redrawable = stderr.isTTY === true && env['TERM'] !== 'dumb' && !isSet(env['CI']);
  return {
    out: quietWriter(stdout),
    err: quietWriter(stderr),
    interactive: redrawable,
    colour: wantsColour(env, stdout.isTTY === true && env['TERM'] !== 'dumb'),
    columns: stderr.columns !== undefined && stderr.columns > 0 ? stderr.columns : defaultColumns,
  };
}

function wantsColour(env: TerminalOptions['env'], visible: boolean): boolean {
  if (isSet(env['NO_COLOR'])) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return visible;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

function quietWriter(stream: OutputStream): (text: string) => void {
  let closed = false;
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
    closed = true;
  });
  return (text) => {
    if (!closed) stream.write(text);
  };
}
