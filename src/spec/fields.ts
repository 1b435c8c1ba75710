// The fields of mesh.yaml that need more than a type: addresses, CIDRs and Istio's version.
import { valid } from 'semver';
import { z } from 'zod';
import { type Cidr, parseAddress, parseCidr } from '../base/cidr.ts';

/** One IP address, strictly written. */
export const address = z.string().superRefine((text, context) => report(parseAddress(text), text, context));

/** One CIDR with no host bits set. */
export const cidr = z.string().superRefine((text, context) => report(parseCidr(text), text, context));

/** A full version of Istio, `1.30.3`. */
export const istioVersion = z.string().refine((text) => valid(text) === text, 'must be a full version such as 1.30.3');

function report(result: Cidr | string, text: string, context: z.RefinementCtx): void {
  if (typeof result === 'string') context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} ${result}`, input: text });
}
