// BookInfo by hand: the same manifests as `isthmus demo bookinfo`, applied with kubectl.
import { type BookinfoOptions, entrance, primaryObjects, remoteObjects, reviewsRoute } from '../../../src/bookinfo/objects.ts';
import { bookinfoHub } from '../../lab/nodes/images.ts';
import { writeObjects } from './by-hand-steps.ts';
import type { Place } from './types.ts';

const bookinfo: BookinfoOptions = { namespace: 'bookinfo', hub: bookinfoHub, tag: '1.20.3', revision: '', primary: 'c1', remote: 'c2' };

export async function deployBookinfo(place: Place): Promise<void> {
  writeObjects(place, 'bookinfo-c1.yaml', [...primaryObjects(bookinfo), reviewsRoute(bookinfo, { v1: 50, v3: 50 })]);
  writeObjects(place, 'bookinfo-c2.yaml', remoteObjects(bookinfo));
  const { type } = place;

  for (const cluster of ['c1', 'c2']) {
    await type(`kubectl --context ${cluster} create namespace bookinfo`);
    await type(`kubectl --context ${cluster} label namespace bookinfo istio-injection=enabled`);
    await type(`kubectl --context ${cluster} apply --filename bookinfo-${cluster}.yaml`);
  }
  for (const cluster of ['c1', 'c2'])
    await type(`kubectl --context ${cluster} --namespace bookinfo wait --for=condition=Available --timeout=5m deployment --all`);
  const reviews = `/api/v1/namespaces/bookinfo/services/${entrance}/proxy/api/v1/products/0/reviews`;
  for (const cluster of ['c1', 'c2']) await type(`until kubectl --context c1 get --raw ${reviews} | grep ${cluster}; do sleep 1; done`);
}
