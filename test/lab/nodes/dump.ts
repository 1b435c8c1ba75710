// Everything a node's kernel knows about the ways of packets, in a form that can be compared.
import type { Machine } from './machine.ts';

/** What is looked at, by name; each line is one entry. */
const looks: Readonly<Record<string, readonly string[]>> = {
  routes: ['ip', '-d', 'route', 'show', 'table', 'all'],
  'IPv6 routes': ['ip', '-d', '-6', 'route', 'show', 'table', 'all'],
  rules: ['ip', 'rule', 'show'],
  'IPv6 rules': ['ip', '-6', 'rule', 'show'],
  addresses: ['ip', '-brief', 'address', 'show'],
  'packet filter': ['iptables-save'],
};

/** The sorted lines of every look. */
export async function dumpNode(machine: Machine): Promise<ReadonlyMap<string, readonly string[]>> {
  const entries = Object.entries(looks).map(async ([name, command]) => [name, lines(await machine.run(...command))] as const);
  return new Map(await Promise.all(entries));
}

/** Lines that one dump has and the other has not, `+` for new and `-` for gone ones, with the name of the look. */
export function dumpDifferences(before: ReadonlyMap<string, readonly string[]>, after: ReadonlyMap<string, readonly string[]>): string[] {
  return [...after].flatMap(([name, now]) => {
    const then = before.get(name) ?? [];
    const added = now.filter((line) => !then.includes(line)).map((line) => `+ ${name}: ${line}`);
    const gone = then.filter((line) => !now.includes(line)).map((line) => `- ${name}: ${line}`);
    return [...added, ...gone];
  });
}

/** Comments of iptables-save say when it ran, its counters what passed. */
function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/ \[\d+:\d+\]$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .sort();
}
