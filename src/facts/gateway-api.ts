// Whether the Gateway API is there, whose definitions somebody must have installed.
import { type ApiGroups, groupPath, readResources } from './api-groups.ts';
import type { Reads } from './reads.ts';
import type { Observed } from './schema.ts';

/** The version in which Gateways are served, `v1`; undefined when they are not. Not Istio's Gateways, which have a group of their own. */
export async function readGatewayApi(reads: Reads, groups: ApiGroups): Promise<Observed<string> | undefined> {
  const path = groupPath(groups, 'gateway.networking.k8s.io', ['v1']);
  if (path === undefined) return undefined;
  const resources = await readResources(reads, path);
  return resources.has('gateways') ? { value: 'v1', source: path } : undefined;
}
