// Service CIDRs: from ServiceCIDR objects, kubeadm's configuration, or the flags of the control plane.
import * as z from 'zod';
import { type ApiGroups, groupPath } from './api-groups.ts';
import { networkCidrs, splitCidrs, validCidrs } from './cidrs.ts';
import type { ControlPlane } from './control-plane.ts';
import { sortedUnique } from './lists.ts';
import { Metadata } from './objects.ts';
import type { Reads } from './reads.ts';
import type { Observed } from './schema.ts';

const ServiceCIDR = z.object({ metadata: Metadata, spec: z.object({ cidrs: z.array(z.string()).min(1) }) });

const unknown = {
  code: 'ISM007',
  message: 'The service CIDRs are unknown',
  hint: 'Write them into mesh.yaml as serviceCIDRs, so that they can be compared with the pod CIDRs of the other clusters.',
};

/** Every service CIDR of the cluster; undefined (and ISM007) when no source tells. */
export async function readServiceCIDRs(
  reads: Reads,
  groups: ApiGroups,
  controlPlane: ControlPlane,
): Promise<Observed<readonly string[]> | undefined> {
  const found =
    (await fromObjects(reads, groups)) ??
    (await fromText(reads, () => controlPlane.kubeadm('serviceSubnet'))) ??
    (await fromText(reads, () => controlPlane.flag('kube-apiserver', '--service-cluster-ip-range'))) ??
    (await fromText(reads, () => controlPlane.flag('kube-controller-manager', '--service-cluster-ip-range')));
  if (found === undefined) reads.report(unknown);
  return found;
}

async function fromObjects(reads: Reads, groups: ApiGroups): Promise<Observed<readonly string[]> | undefined> {
  const path = groupPath(groups, 'networking.k8s.io', ['v1', 'v1beta1']);
  const objects = path === undefined ? undefined : await reads.list(`${path}/servicecidrs`, ServiceCIDR);
  if (objects === undefined || objects.length === 0) return undefined;
  const source = `ServiceCIDR ${sortedUnique(objects.map((object) => object.metadata.name)).join(', ')}`;
  return nonEmpty(
    validCidrs(
      objects.flatMap((object) => object.spec.cidrs),
      source,
      reads.report,
    ),
    source,
  );
}

async function fromText(reads: Reads, ask: () => Promise<Observed<string> | undefined>): Promise<Observed<readonly string[]> | undefined> {
  const answer = await ask();
  if (answer === undefined) return undefined;
  return nonEmpty(networkCidrs(splitCidrs(answer.value), answer.source, reads.report), answer.source);
}

function nonEmpty(value: readonly string[], source: string): Observed<readonly string[]> | undefined {
  return value.length === 0 ? undefined : { value, source };
}
