// Values that several charts share.
import * as z from 'zod';

/** One IP address; a host name is none. */
export const Address = z.union([z.ipv4(), z.ipv6()]);

/** One block of addresses, of either family. */
export const Cidr = z.union([z.cidrv4(), z.cidrv6()]);

/** What a Service of type LoadBalancer is told besides its annotations. */
export const loadBalancerFields = {
  loadBalancerClass: z.string().default('').describe('spec.loadBalancerClass; empty for the default one of the cluster'),
  loadBalancerIP: z
    .union([Address, z.literal('')])
    .default('')
    .describe('Fixed address, for implementations that have no annotation for it'),
  sourceRanges: z.array(Cidr).readonly().default([]).describe('Who may connect; everyone who reaches the address when empty'),
} as const;

/**
 * Name of a cluster or network as it stands in the path of an injection webhook: the API server takes lower-case DNS names between
 * the slashes there, and a slash inside a name is written `--slash--`.
 */
export const MeshName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?([./][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);

/** Longest revision, in characters: `istiod-<revision>` is the name of a Service, which is a DNS label. */
const maxRevision = 56;

/** Revision of a control plane; empty for the default one. */
export const Revision = z
  .string()
  .max(maxRevision)
  .regex(/^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$/)
  .default('');

/** Name of an object such as a ServiceAccount: a DNS name, RFC 1123. */
export const ObjectName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);

/** An image by parts, so that a mirror is one value and a digest can pin it. */
export const Image = z
  .strictObject({
    registry: z.string().describe('Registry host and port; change this one for a mirror'),
    repository: z.string().min(1).describe('Path of the image in the registry'),
    tag: z.string().describe('Tag; ignored when a digest is given'),
    digest: z
      .string()
      .regex(/^(sha256:[0-9a-f]{64})?$/)
      .default('')
      .describe('Digest, `sha256:...`; pins the image'),
    pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent').describe('When the kubelet pulls the image'),
  })
  .readonly();

export const ImagePullSecrets = z
  .array(z.strictObject({ name: z.string().min(1) }).readonly())
  .readonly()
  .default([])
  .describe('Pull secrets, `- name: regcred`');

/** What helm gives to every subchart; accepted so that the chart can be one. */
export const HelmGlobal = z.looseObject({}).optional().describe('Set by helm for subcharts; not used');

/** The reference that a pod has: a digest says more than a tag. */
export function imageText({
  registry,
  repository,
  tag,
  digest,
}: Pick<z.input<typeof Image>, 'registry' | 'repository' | 'tag' | 'digest'>): string {
  return `${registry === '' ? '' : `${registry}/`}${repository}${digest === undefined || digest === '' ? `:${tag}` : `@${digest}`}`;
}
