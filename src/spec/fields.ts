// The fields of mesh.yaml that need more than a type: names, addresses, CIDRs, paths, Istio's version.
import parse from 'semver/functions/parse.js';
import * as z from 'zod';
import { type Cidr, parseAddress, parseCidr } from '../base/cidr.ts';
import { dns1123Label, shortText } from '../base/names.ts';
import { documentationRangeOf, isTooWide, reservedRangeOf, widestPrefix } from '../base/ranges.ts';
import { ownedProtocols, protocolOwner } from '../base/route-protocols.ts';

const addressPattern = '^[0-9a-fA-F.:]+$';
const cidrPattern = '^[0-9a-fA-F.:]+/[0-9]{1,3}$';

/** One IP address that a node, a load balancer or istiod can have. */
export const address = z
  .string()
  .superRefine((text, context) => report(text, checkAddress(text), context))
  .meta({ title: 'address', pattern: addressPattern });

/** One CIDR with no host bits set, of any width and any range. */
export const cidr = z
  .string()
  .superRefine((text, context) => report(text, reasonOf(parseCidr(text)), context))
  .meta({ title: 'CIDR', pattern: cidrPattern });

/** One CIDR that pods, Services or nodes can have: not wider than /8 or /16, and in no range that has another use. */
export const routableCidr = z
  .string()
  .superRefine((text, context) => report(text, checkRoutable(text), context))
  .meta({ title: 'CIDR', pattern: cidrPattern });

/** An RFC 1123 label. `constructor` is one, and refused: it is a member of every JavaScript object. */
export function name(what: string, longest: number) {
  return z
    .string()
    .max(longest, `is longer than ${longest} characters`)
    .regex(dns1123Label, 'must be lower-case letters, digits and dashes, and start and end with a letter or digit')
    .refine((text) => !(text in Object.prototype), 'is a reserved word')
    .describe(what);
}

/** A path that is resolved from the folder of mesh.yaml. */
export function path(what: string) {
  return plainText(what)
    .refine((text) => !text.startsWith('~'), 'is not expanded by a shell; write the path without ~')
    .meta({ title: 'path' });
}

/** A path that must travel with mesh.yaml, so it cannot be absolute. */
export function relativePath(what: string) {
  return path(what).refine((text) => !/^(?:[/\\]|[A-Za-z]:)/.test(text), 'must be relative to the folder of mesh.yaml');
}

/** Text that ends up in an argument of a program: no control characters, no dash in front. */
export function plainText(what: string) {
  return z
    .string()
    .min(1, 'must not be empty')
    .refine((text) => !/[\p{Cc}\p{Cf}\u2028\u2029\p{Surrogate}]/u.test(text), 'must not hold control or invisible characters')
    .refine((text) => !text.startsWith('-'), 'must not start with a dash')
    .describe(what);
}

/** An image, or the registry and path that images are below: no scheme, no spaces. */
export function imagePath(what: string) {
  return z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]*(?::[0-9]+)?(?:\/[A-Za-z0-9._-]+)*(?::[A-Za-z0-9._-]+)?(?:@sha256:[0-9a-f]{64})?$/,
      'must be a registry and path without https://',
    )
    .describe(what);
}

/** A label value of Kubernetes. */
export function labelValue(what: string) {
  return z
    .string()
    .max(63, 'is longer than 63 characters')
    .regex(
      /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/,
      'must be letters, digits, dots, dashes and underscores, and start and end with a letter or digit',
    )
    .describe(what);
}

/** A network: a label value, and part of the path of the injection webhook, where API servers take lower-case DNS names only. */
export function networkName(what: string) {
  return z
    .string()
    .max(63, 'is longer than 63 characters')
    .regex(
      /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/,
      'must be lower-case letters, digits, dashes and dots, and each part must start and end with a letter or digit',
    )
    .describe(what);
}

/** A full version of Istio that isthmus knows: 0.8.x, or 1.24 and later. */
export const istioVersion = z
  .string()
  .superRefine((text, context) => report(text, checkVersion(text), context))
  .meta({ pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+(?:-[0-9A-Za-z.-]+)?$' });

/** A route protocol number that belongs to no one else. */
export const routeProtocol = z
  .int()
  .superRefine((number, context) => {
    const reason = checkProtocol(number);
    if (reason !== undefined) context.addIssue({ code: 'custom', message: reason, input: number });
  })
  .meta({ minimum: 5, maximum: 254, not: { enum: ownedProtocols().filter((number) => number >= 5) } });

/** An IP address or a DNS name, where istiod answers. */
export const hostOrAddress = z
  .string()
  .superRefine((text, context) => report(text, checkHost(text), context))
  .meta({ title: 'address or host name' });

/** An https URL of a host and, where needed, a port and a path. Errors do not repeat it, because it may hold credentials. */
export function httpsUrl(what: string) {
  return z
    .string()
    .refine((text) => !/[\s\p{Cc}]/u.test(text) && urlOf(text)?.protocol === 'https:', 'must be an https URL such as https://10.0.0.1:6443')
    .refine((text) => !urlOf(text)?.username && !urlOf(text)?.password, 'must not hold credentials')
    .refine((text) => !/[?#]/.test(text), 'must not have a query or a fragment')
    .meta({ title: 'URL', pattern: '^https://' })
    .describe(what);
}

function report(text: string, reason: string | undefined, context: z.RefinementCtx): void {
  if (reason !== undefined) context.addIssue({ code: 'custom', message: `"${shortText(text)}" ${reason}`, input: text });
}

function reasonOf(result: Cidr | string): string | undefined {
  return typeof result === 'string' ? result : undefined;
}

function checkAddress(text: string): string | undefined {
  const parsed = parseAddress(text);
  return typeof parsed === 'string' ? parsed : checkUse(parsed);
}

function checkRoutable(text: string): string | undefined {
  const parsed = parseCidr(text);
  if (typeof parsed === 'string') return parsed;
  if (isTooWide(parsed)) return `is wider than /${widestPrefix[parsed.family]}`;
  return checkUse(parsed);
}

function checkUse(parsed: Cidr): string | undefined {
  const range = reservedRangeOf(parsed) ?? documentationRangeOf(parsed);
  return range === undefined ? undefined : `lies in ${range}, which no cluster can use`;
}

function checkVersion(text: string): string | undefined {
  const version = parse(text);
  if (version === null || version.version !== text) return 'is not a full version such as 1.30.3';
  if (version.major === 0 && version.minor === 8) return undefined;
  if (version.major > 1 || (version.major === 1 && version.minor >= 24)) return undefined;
  return 'is not supported; Istio 0.8.x and 1.24 or later are';
}

function checkProtocol(number: number): string | undefined {
  const owner = protocolOwner(number);
  if (owner !== undefined) return `${number} belongs to ${owner}; take a free one such as 157`;
  return number < 5 || number > 254 ? `must be 5 to 254, not ${number}` : undefined;
}

function checkHost(text: string): string | undefined {
  if (/^[0-9.]+$/.test(text) || /[:%/]/.test(text)) return checkAddress(text);
  const labels = text.split('.');
  const fine = text.length <= 253 && labels.every((label) => label.length <= 63 && dns1123Label.test(label));
  return fine ? undefined : 'is neither an IP address nor a host name in lower case';
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
