// Findings about nodes: the next hops of routes, and the places where routes are installed.
import type { FindingKind } from './types.ts';

export const nodeFindings = [
  {
    code: 'ISM040',
    severity: 'warning',
    title: 'A node is not ready',
    why: 'Its blocks stay its own while it is away, so the routes to it are kept. No Job is planned on it; the keeper installs its routes when it comes back.',
    mend: 'Bring the node back, or delete it and plan again.',
  },
  {
    code: 'ISM041',
    severity: 'info',
    title: 'A node is being deleted',
    why: 'Its pods are going away, so no route leads to it and none is installed on it.',
    mend: 'Nothing to do.',
  },
  {
    code: 'ISM042',
    severity: 'error',
    title: 'A node has no usable address',
    why: 'Routes lead to node addresses. A node without an InternalIP, or with a loopback or link-local one, cannot be a next hop, so its pods cannot be reached.',
    mend: 'Give the kubelet `--node-ip`, or write the address of the node in mesh.yaml.',
  },
  {
    code: 'ISM043',
    severity: 'error',
    title: 'A node has several addresses, and none is clearly the right one',
    why: 'The wrong one may lead over a slow or separate network, or nowhere. The CNI does not say which it uses, and no known subnet decides.',
    mend: 'Write the address of the node in mesh.yaml.',
  },
  {
    code: 'ISM044',
    severity: 'warning',
    title: "The CNI uses another address than the node's InternalIP",
    why: 'Pod traffic between nodes follows the address of the CNI, so that is the next hop that is used.',
    mend: 'Nothing to do when the nodes have a network of their own for pods. Otherwise correct the autodetection of the CNI.',
  },
  {
    code: 'ISM045',
    severity: 'warning',
    title: 'A node has no Linux kernel of its own',
    why: 'Windows nodes and virtual ones, such as virtual-kubelet or Fargate, cannot be given routes. Pods on them cannot reach other clusters by routes.',
    mend: 'Keep workloads of the mesh off these nodes.',
  },
  {
    code: 'ISM046',
    severity: 'error',
    title: 'A next hop is not on a common link',
    why: 'A node can only route through an address that it reaches without a router in between. Where the nodes of two clusters are in different subnets, the kernel refuses the route, or packets are lost. When subnets are unknown this is a note, and each node checks for itself.',
    mend: 'Let the routers between the clusters carry the pod CIDRs (`routes.provider: bgp` or `none`), put the clusters in different networks and use gateways, or set `routes.onlink: true` when the nodes do share one layer 2 segment.',
  },
] as const satisfies readonly FindingKind[];
