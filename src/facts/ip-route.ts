// Parser of what `ip route` prints (iproute2, ip-route(8)), as people paste it: with prompts, blank lines and CRLF around.
import { type Cidr, formatAddress, parseAddress, parseCidr } from '../base/cidr.ts';

/** One route. Only what isthmus needs of it; metric, mtu, flags and the like are read over. */
export interface RouteLine {
  readonly kind: 'unicast' | 'blackhole';
  readonly dst: Cidr;
  /** Next hops: none for a connected route, several for a multipath route. */
  readonly vias: readonly string[];
  readonly dev?: string;
  /** As printed, a name of rt_protos or a number; iproute2 leaves out `boot`. */
  readonly protocol: string;
  readonly scope?: string;
  readonly src?: string;
}

export interface IpRouteText {
  /** Routes of the main table; default routes and the kernel's local and broadcast routes are left out. */
  readonly routes: readonly RouteLine[];
  /** Lines that look like routes and are none, as they stand. */
  readonly malformed: readonly string[];
}

/** Route types that iproute2 prints in front of the destination; unreachable, prohibit and throw drop packets like blackhole. */
const dropping: ReadonlySet<string> = new Set(['blackhole', 'unreachable', 'prohibit', 'throw']);

/** Words that can follow a destination. What has none of them after an address is no route but noise. */
const keywords: ReadonlySet<string> = new Set([
  'via',
  'dev',
  'proto',
  'scope',
  'src',
  'metric',
  'onlink',
  'linkdown',
  'dead',
  'table',
  'nhid',
  'nexthop',
]);

const addressLike = /^[0-9a-fA-F]*[.:][0-9a-fA-F.:]*(?:\/\S*)?$/;

/** Reads every line of `text`; never fails, since text around routes is normal. */
export function parseIpRoute(text: string): IpRouteText {
  const routes: RouteLine[] = [];
  const malformed: string[] = [];
  for (const line of joinNextHops(text)) {
    const result = parseLine(line.split(/\s+/));
    if (result === 'malformed') malformed.push(line);
    else if (result !== undefined) routes.push(result);
  }
  return { routes, malformed };
}

/** Multipath routes print their next hops on lines of their own; these are put behind the route they belong to. */
function joinNextHops(text: string): string[] {
  const lines: string[] = [];
  for (const raw of text.split(/\r\n|\n|\r/)) {
    const line = raw.trim();
    if (line.startsWith('nexthop ') && lines.length > 0) lines.push(`${lines.pop()} ${line}`);
    else if (line !== '') lines.push(line);
  }
  return lines;
}

function parseLine(words: readonly string[]): RouteLine | 'malformed' | undefined {
  const [first = ''] = words;
  const typed = dropping.has(first) || first === 'unicast';
  const [target = '', ...rest] = typed ? words.slice(1) : words;
  if (!isRoute(target, rest, typed)) return undefined;
  const dst = target.includes('/') ? parseCidr(target) : parseAddress(target);
  const options = parseOptions(rest);
  if (typeof dst === 'string' || options === undefined) return 'malformed';
  const { table = 'main', vias, protocol = 'boot', ...optional } = options;
  if (table !== 'main' && table !== '254') return undefined;
  return { kind: dropping.has(first) ? 'blackhole' : 'unicast', dst, vias, protocol, ...optional };
}

/** An address alone, or with other words behind it, is text around the routes. */
function isRoute(target: string, rest: readonly string[], typed: boolean): boolean {
  if (!addressLike.test(target)) return false;
  return rest.length === 0 ? typed : keywords.has(rest[0] ?? '');
}

type Options = { vias: string[] } & { [K in 'dev' | 'protocol' | 'scope' | 'src' | 'table']?: string };

const optionNames = new Map<string, Exclude<keyof Options, 'vias'>>([
  ['dev', 'dev'],
  ['proto', 'protocol'],
  ['scope', 'scope'],
  ['src', 'src'],
  ['table', 'table'],
]);

/** Options after the destination; undefined when one lacks its value or a next hop is no address. */
function parseOptions(words: readonly string[]): Options | undefined {
  const options: Options = { vias: [] };
  for (const [at, word] of words.entries()) {
    const name = optionNames.get(word);
    if (word !== 'via' && name === undefined) continue;
    const value = word === 'via' ? nextHop(words.slice(at + 1, at + 3)) : words[at + 1];
    if (value === undefined) return undefined;
    if (name === undefined) options.vias.push(value);
    else options[name] ??= value;
  }
  return options;
}

/** The address after `via`, which names its family when it is not that of the destination: `via inet6 fe80::1`. */
function nextHop([first = '', second = '']: readonly string[]): string | undefined {
  const address = parseAddress(first === 'inet' || first === 'inet6' ? second : first);
  return typeof address === 'string' ? undefined : formatAddress(address);
}
