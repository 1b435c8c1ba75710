// Calico as its datastore shows it: the custom resources and, for each node, its confirmed block.
import type { KubeObject } from '../../src/base/objects.ts';

const group = 'crd.projectcalico.org';

export interface LabNode {
  readonly name: string;
  /** InternalIP, which is also the next hop to its pods. */
  readonly address: string;
  /** Pod blocks of the node, CIDR. */
  readonly blocks: readonly string[];
}

export interface CalicoOptions {
  readonly podCIDR: string;
  readonly nodes: readonly LabNode[];
}

/** Definitions of the kinds that isthmus reads, without schemas: the lab stores what Calico would. */
export function calicoDefinitions(): KubeObject[] {
  const kinds = { IPPool: 'ippools', BlockAffinity: 'blockaffinities', IPAMBlock: 'ipamblocks', FelixConfiguration: 'felixconfigurations' };
  return Object.entries(kinds).map(([kind, plural]) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  }));
}

/** The pool, Felix's configuration, and affinity and block of every node. */
export function calicoObjects({ podCIDR, nodes }: CalicoOptions): KubeObject[] {
  return [
    calico('IPPool', 'default-ipv4-ippool', {
      cidr: podCIDR,
      blockSize: 26,
      ipipMode: 'Never',
      vxlanMode: 'Never',
      natOutgoing: true,
      nodeSelector: 'all()',
      allowedUses: ['Workload', 'Tunnel'],
    }),
    calico('FelixConfiguration', 'default', {
      bpfLogLevel: '',
      floatingIPs: 'Disabled',
      logSeverityScreen: 'Info',
      reportingInterval: '0s',
    }),
    ...nodes.flatMap(({ name, blocks }) => blocks.flatMap((cidr) => blockObjects(name, cidr))),
  ];
}

/** The confirmed affinity of a node to a block, and the block. */
export function blockObjects(node: string, cidr: string): KubeObject[] {
  const dashed = cidr.replaceAll(/[./]/g, '-');
  return [
    calico('BlockAffinity', `${node}-${dashed}`, { cidr, node, state: 'confirmed', deleted: 'false', type: 'host' }),
    calico('IPAMBlock', dashed, {
      cidr,
      affinity: `host:${node}`,
      allocations: new Array(64).fill(null),
      attributes: [],
      deleted: false,
      strictAffinity: false,
      unallocated: Array.from({ length: 64 }, (_, index) => index),
    }),
  ];
}

function calico(kind: string, name: string, spec: unknown): KubeObject {
  return { apiVersion: `${group}/v1`, kind, metadata: { name }, spec };
}
