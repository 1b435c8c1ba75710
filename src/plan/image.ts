// Image references by parts, and where Istio publishes its images.
import type * as z from 'zod';
import type { Mesh } from '../spec/schema.ts';
import type { Image } from './values/common.ts';

type ImageParts = Pick<z.input<typeof Image>, 'registry' | 'repository' | 'tag' | 'digest'>;

const defaultRegistry = 'docker.io';

/** Minor version of Istio 1.x from which images are published at registry.istio.io. */
const ownRegistrySince = 30;

/**
 * Splits `registry.example:5000/istio/proxyv2:1.30.3@sha256:...`; what comes before the first slash is a registry when it has a dot
 * or a port or is localhost, as Docker reads it.
 */
export function parseImage(text: string): ImageParts {
  const [name = '', digest] = text.split('@');
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  const path = colon < 0 ? name : name.slice(0, colon);
  const tag = colon < 0 ? '' : name.slice(colon + 1);
  const slash = path.indexOf('/');
  const first = slash < 0 ? '' : path.slice(0, slash);
  const named = first.includes('.') || first.includes(':') || first === 'localhost';
  const parts = { registry: named ? first : defaultRegistry, repository: named ? path.slice(slash + 1) : path, tag };
  return digest === undefined ? parts : { ...parts, digest };
}

/** An image of Istio in the version of the mesh. */
export function istioImage(istio: Mesh['istio'], name: string): ImageParts {
  return parseImage(`${istioHub(istio)}/${name}:${istio.version}`);
}

/** Where images of Istio come from: `istio.hub`, or where Istio publishes that version. */
export function istioHub({ version, hub }: Mesh['istio']): string {
  const [major, minor] = version.split('.').map(Number);
  return hub ?? (major === 1 && (minor ?? 0) >= ownRegistrySince ? 'registry.istio.io/release' : 'docker.io/istio');
}
