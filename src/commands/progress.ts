// Shows releases as they are installed: plain lines, and on a terminal a footer with what is running.
import type { ProgressEvent, ProgressListener, ReleaseResult } from '../release/types.ts';
import type { Terminal } from '../system/types.ts';

export interface Progress {
  readonly listener: ProgressListener;
  /** Takes the footer away; nothing is shown afterwards. */
  stop(): void;
}

/** Writes to stderr. Finished steps become lines that stay; running ones are redrawn below them when stderr is a terminal. */
export function showProgress(terminal: Terminal): Progress {
  const running = new Map<string, string>();
  let footerLines = 0;
  const clear = () => {
    if (footerLines > 0) terminal.err(`\u001b[${footerLines}A\u001b[0J`);
    footerLines = 0;
  };
  const draw = () => {
    if (!terminal.interactive || running.size === 0) return;
    const lines = [...running.values()].map((line) => line.slice(0, Math.max(20, terminal.columns - 1)));
    terminal.err(`${lines.join('\n')}\n`);
    footerLines = lines.length;
  };
  const listener = (event: ProgressEvent) => {
    clear();
    const line = update(running, event);
    if (line !== undefined && (event.type === 'end' || !terminal.interactive)) terminal.err(`${line}\n`);
    draw();
  };
  return { listener, stop: clear };
}

/** Takes an event into the running steps and returns its line, unless there is nothing new in it. */
function update(running: Map<string, string>, event: ProgressEvent): string | undefined {
  const { cluster, step } = event.type === 'end' ? event.result : event;
  const key = `${cluster} ${step}`;
  if (event.type === 'end') {
    running.delete(key);
    return describeResult(event.result);
  }
  const line = stepLine(cluster, step, event.type === 'start' ? '...' : event.text);
  // What is waited for is said again at every look; in a log once is enough.
  const said = running.get(key) === line;
  running.set(key, line);
  return event.type === 'start' || said ? undefined : line;
}

/** `cluster1    route-installer               installed, 4.2 s`, with the reason and the hint below where there are any. */
export function describeResult(result: ReleaseResult): string {
  const time = result.seconds >= 0.1 ? `, ${result.seconds.toFixed(1)} s` : '';
  const line = stepLine(result.cluster, result.step, `${result.outcome}${time}`);
  const details = [result.message, result.hint]
    .filter((text) => text !== undefined)
    .map((text) => `\n    ${text.replaceAll('\n', '\n    ')}`);
  return `${line}${details.join('')}`;
}

function stepLine(cluster: string, step: string, text: string): string {
  return `${cluster.padEnd(12)}  ${step.padEnd(28)}  ${text}`;
}
