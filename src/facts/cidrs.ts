// CIDRs as clusters write them: in one form, or a problem.
import { aggregate, type Cidr, compareCidrs, formatCidr, parseAddress, parseCidr, truncate } from '../base/cidr.ts';
import type { Problem } from '../findings/types.ts';

type Report = (problem: Problem) => void;

/** The CIDRs among `texts` that are strictly written, in address order and once each; the others become ISM015. */
export function validCidrs(texts: readonly string[], source: string, report: Report): string[] {
  return formatted(texts, source, report, parseCidr);
}

/**
 * Like `validCidrs` for flags and configuration of Kubernetes, which takes `10.0.0.1/24` for the network it lies in
 * (Go's net.ParseCIDR); IBM Cloud Private ships such a value.
 */
export function networkCidrs(texts: readonly string[], source: string, report: Report): string[] {
  return formatted(texts, source, report, parseNetwork);
}

/** The network that an address with a prefix length lies in: `10.0.0.5/24` is in `10.0.0.0/24`; the reason when it is neither. */
export function parseNetwork(text: string): Cidr | string {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (typeof address === 'string') return address;
  const whole = parseCidr(`${address.family === 4 ? '0.0.0.0' : '::'}${slash < 0 ? '' : text.slice(slash)}`);
  return typeof whole === 'string' ? whole : truncate(address, whole.prefix);
}

/** Splits `10.1.0.0/16,fd00::/56` (commas or spaces) as flags and ConfigMaps write it. */
export function splitCidrs(text: string | undefined): string[] {
  return (text ?? '').split(/[\s,]+/).filter((part) => part !== '');
}

/** The fewest CIDRs that hold exactly the addresses of `texts`, which must be valid. */
export function aggregateTexts(texts: readonly string[]): string[] {
  const cidrs = texts.map(parseCidr).filter((cidr): cidr is Cidr => typeof cidr !== 'string');
  return aggregate(cidrs).map(formatCidr);
}

function formatted(texts: readonly string[], source: string, report: Report, parse: (text: string) => Cidr | string): string[] {
  const cidrs: Cidr[] = [];
  for (const text of texts) {
    const cidr = parse(text);
    if (typeof cidr === 'string') report({ code: 'ISM015', where: source, message: `${JSON.stringify(text)} ${cidr}` });
    else cidrs.push(cidr);
  }
  return [...new Set(cidrs.sort(compareCidrs).map(formatCidr))];
}
