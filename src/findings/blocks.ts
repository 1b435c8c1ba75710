// Findings about pod blocks: which addresses live on which node, and how sure that is.
import type { FindingKind } from './types.ts';

export const blockFindings = [
  {
    code: 'ISM032',
    severity: 'error',
    title: 'It is not known which pod addresses live on which node',
    why: 'A route leads a block of pod addresses to its node. This cluster has no source of blocks that isthmus can read: no Calico blocks, no CiliumNode, no podCIDRs on its nodes.',
    mend: "Write them in mesh.yaml (`nodes:` with `podCIDRs` or the output of `ip route`), or set `routes.provider: none` where the network carries pod addresses itself, as in AWS, GKE or Azure with the cloud's own CNI.",
  },
  {
    code: 'ISM033',
    severity: 'warning',
    title: 'podCIDRs of nodes and block objects disagree',
    why: 'Calico with its own IPAM does not use `spec.podCIDRs` of nodes, but Kubernetes may set it all the same. The block objects are what packets follow, so they are used.',
    mend: 'Nothing to do when the cluster runs Calico IPAM.',
  },
  {
    code: 'ISM034',
    severity: 'error',
    title: 'A block has two owners',
    why: 'Two nodes claim the same pod addresses. A route to either would be wrong for the pods of the other, so none is planned for that block.',
    mend: 'Find out which node owns the block (`calicoctl ipam check`), release the other claim, and read the cluster again.',
  },
  {
    code: 'ISM035',
    severity: 'warning',
    title: 'A block belongs to a node that is gone',
    why: 'The node was deleted and its block was not released. Nothing can be reached in it, so no route is planned for it.',
    mend: "Release the leaked block with `calicoctl ipam check` and `calicoctl ipam release`, or start Calico's kube-controllers.",
  },
  {
    code: 'ISM036',
    severity: 'warning',
    title: "Pod addresses are used outside their node's blocks",
    why: "A node that ran out of addresses borrowed some from another node's block, or a block has no owner. Each such address needs a route of its own, and the next one borrowed has none until routes are planned again.",
    mend: "Set `strictAffinity: true` in Calico's IPAM configuration, or use larger blocks.",
  },
  {
    code: 'ISM037',
    severity: 'error',
    title: 'A block lies outside the pod CIDRs of its cluster',
    why: 'Routes are only installed inside the pod CIDRs that the plan knows, so that a wrong block cannot take other traffic. The block is left out and its pods cannot be reached.',
    mend: 'Add the missing range to `podCIDRs` in mesh.yaml; most likely the cluster has another IPPool.',
  },
  {
    code: 'ISM038',
    severity: 'error',
    title: "A live pod address is outside its node's blocks",
    why: 'The pod exists, and the routes made from these blocks would not reach it or would reach another node. So the blocks that were read are not the whole truth.',
    mend: 'Read the cluster again; when it stays, look at the IPAM of that node before you install routes.',
  },
  {
    code: 'ISM039',
    severity: 'error',
    title: 'The cluster has no nodes',
    why: 'An empty list of nodes is most likely a failed read. Taken at its word, it would withdraw every route to this cluster.',
    mend: 'Read the cluster again, or write its `nodes` in mesh.yaml.',
  },
] as const satisfies readonly FindingKind[];
