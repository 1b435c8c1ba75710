// What probe pods print, read as checks.

import { type Cidr, formatAddress, parseAddress } from '../../base/cidr.ts';
import { escapeText } from '../../base/names.ts';
import type { Check, CheckOutcome, Place } from '../types.ts';

/** One line of a probe pod. */
export interface Answer {
  readonly target: number;
  readonly tcp: string;
  readonly ping: string;
  readonly full: string;
  /** Bytes of the largest packet that was tried. */
  readonly size: number;
  /** `local=remote` of open connections, in the hexadecimal form of /proc/net/tcp. */
  readonly seen: readonly string[];
}

const line = /^(\d{1,6}) tcp=([a-z]+) ping=([a-z]+) full=([a-z]+) size=(\d{1,6}) seen=([0-9A-F=,]*)$/;

/** The answers in a log, by number of the target; lines of any other form are left out. */
export function readAnswers(log: string): ReadonlyMap<number, Answer> {
  const answers = log.split('\n').flatMap((text): [number, Answer][] => {
    const [, target = '', tcp = '', ping = '', full = '', size = '', seen = ''] = line.exec(text.trim()) ?? [];
    if (target === '') return [];
    return [[Number(target), { target: Number(target), tcp, ping, full, size: Number(size), seen: seen === '' ? [] : seen.split(',') }]];
  });
  return new Map(answers);
}

export interface Route {
  readonly from: Place;
  readonly to: Place;
  /** Addresses of the two pods. */
  readonly asker: string;
  readonly listener: string;
}

type Words = Readonly<Record<string, Pick<Check, 'outcome' | 'message' | 'hint'>>>;

const noAnswer = 'Look for a firewall, a NetworkPolicy, or a cloud that drops packets with pod addresses between the nodes.';

const pingWords: Words = {
  ok: { outcome: 'passed' },
  lost: { outcome: 'failed', message: 'no answer', hint: noAnswer },
  unavailable: { outcome: 'skipped', message: 'the ping of the image needs privileges' },
};

const tcpWords: Words = {
  ok: { outcome: 'passed' },
  refused: { outcome: 'failed', message: 'the connection is refused', hint: noAnswer },
  unreachable: {
    outcome: 'failed',
    message: 'no route to the pod',
    hint: 'Run `isthmus install` again and look at the routes of both nodes.',
  },
  silent: { outcome: 'failed', message: 'no answer', hint: noAnswer },
};

const mtuHint = 'The network between the nodes passes smaller packets than the pods send: raise its MTU, or lower that of the pods.';

/** Four checks of one pair of nodes; without an answer they could not be made. */
export function checksOf(answer: Answer | undefined, route: Route): readonly Check[] {
  const check = (name: string, rest: Pick<Check, 'outcome' | 'message' | 'hint'>): Check => ({
    name,
    from: route.from,
    to: route.to,
    ...rest,
  });
  if (answer === undefined) return [check('tcp', { outcome: 'failed', message: 'the probe pod said nothing about it' })];
  const { tcp, ping, full, size } = answer;
  return [
    check('ping', pingWords[ping] ?? unknownWord(ping)),
    check('tcp', tcpWords[tcp] ?? unknownWord(tcp)),
    check('source address', tcp === 'ok' ? sourceCheck(answer, route) : untested),
    check('full-size packets', fullCheck(full, size)),
  ];
}

const untested = { outcome: 'skipped', message: 'there is no connection' } as const;

function unknownWord(word: string) {
  return { outcome: 'failed', message: `the probe pod said ${escapeText(word)}` } as const;
}

function fullCheck(word: string, size: number): { readonly outcome: CheckOutcome; readonly message?: string; readonly hint?: string } {
  if (word === 'ok') return { outcome: 'passed', message: `${size} bytes` };
  if (word === 'transfer') return { outcome: 'passed', message: 'by TCP alone' };
  if (word === 'stalled') return { outcome: 'failed', message: 'small packets pass, a larger transfer stalls', hint: mtuHint };
  if (word === 'lost') return { outcome: 'failed', message: `a packet of ${size} bytes is lost`, hint: mtuHint };
  if (word === 'busy') return { outcome: 'failed', message: 'no transfer is possible, because others stall there', hint: mtuHint };
  return word === 'untested' ? untested : unknownWord(word);
}

/** The address of the asking pod must be among those that the listening one sees. */
function sourceCheck({ seen }: Answer, { asker, listener }: Route): Pick<Check, 'outcome' | 'message' | 'hint'> {
  const remotes = seen.map((pair) => remoteOf(pair, listener)).filter((address) => address !== undefined);
  if (remotes.includes(normal(asker))) return { outcome: 'passed' };
  const shown = [...new Set(remotes)].sort().join(', ') || 'an unknown address';
  return {
    outcome: 'failed',
    message: `${asker} arrives as ${shown}`,
    hint: 'The cluster replaces pod addresses on the way out; `isthmus explain ISM050` tells how to exempt the other pod CIDRs.',
  };
}

/** The kernel writes each 32-bit word of an address in the byte order of its machine; that of the local address, which is known, tells it. */
function remoteOf(pair: string, listener: string): string | undefined {
  const [local = '', remote = ''] = pair.split('=');
  const order = [true, false].find((swapped) => addressOf(local, swapped) === normal(listener));
  return order === undefined ? undefined : addressOf(remote, order);
}

function addressOf(hex: string, swapped: boolean): string | undefined {
  if (hex.length !== 8 && hex.length !== 32) return undefined;
  const words = (hex.match(/.{8}/g) ?? []).map((word) => (swapped ? (word.match(/../g) ?? []).reverse().join('') : word));
  const value = BigInt(`0x${words.join('')}`);
  const mapped = hex.length === 32 && value >> 32n === 0xffffn;
  const cidr: Cidr =
    hex.length === 8 || mapped ? { family: 4, start: value & 0xffff_ffffn, prefix: 32 } : { family: 6, start: value, prefix: 128 };
  return formatAddress(cidr);
}

function normal(address: string): string {
  const parsed = parseAddress(address);
  return typeof parsed === 'string' ? address : formatAddress(parsed);
}
