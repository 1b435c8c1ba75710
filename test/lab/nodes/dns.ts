// CoreDNS of a cluster, as a program on its first node, and the Service that pods find it by.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '../../../src/base/objects.ts';
import { configOf, type Site, serviceAddress, startComponent } from '../control-plane.ts';
import type { LabProcess } from '../process.ts';

/** Starts CoreDNS on an address of the first node. */
export function startDns(site: Site, address: string): LabProcess {
  const file = join(site.folder, 'Corefile');
  writeFileSync(file, corefile(site, address));
  return startComponent(site, 'coredns', ['-conf', file]);
}

/** The Service kube-dns and its one endpoint. */
export function dnsObjects(site: Site, address: string): KubeObject[] {
  const ports = (['UDP', 'TCP'] as const).map((protocol) => ({ name: `dns-${protocol.toLowerCase()}`, port: 53, protocol }));
  const metadata = { name: 'kube-dns', namespace: 'kube-system' };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIP: serviceAddress(site.serviceCIDR, 10), ports } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kube-dns' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address] }],
      ports,
    },
  ];
}

/** Everything outside the cluster does not exist; in one block with the cluster's domain the template would win. */
function corefile(site: Site, address: string): string {
  return `cluster.local:53 {
  bind ${address}
  errors
  kubernetes cluster.local {
    kubeconfig ${configOf(site, 'admin')}
  }
}
.:53 {
  bind ${address}
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
}
