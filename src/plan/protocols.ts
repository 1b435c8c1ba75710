// Whether the number that marks our routes is free in every cluster.
import { protocolOwner } from '../base/route-protocols.ts';
import { makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import type { Mesh } from '../spec/schema.ts';
import type { ResolvedCluster } from './cluster.ts';

/** Says when the protocol number that marks our routes marks those of someone else, in general or in one of the clusters. */
export function checkProtocol(mesh: Mesh, clusters: readonly ResolvedCluster[]): Finding[] {
  const number = mesh.routes.protocol;
  const owner = protocolOwner(number);
  if (owner !== undefined) return [makeFinding({ code: 'ISM054', message: `routes.protocol ${number} belongs to ${owner}.` })];
  return clusters.flatMap(({ name, facts: { felixProtocol } }) => {
    if (felixProtocol?.value !== number) return [];
    const message = `routes.protocol ${number} belongs to Calico's Felix here (${felixProtocol.source}).`;
    return [makeFinding({ code: 'ISM054', cluster: name, message })];
  });
}
