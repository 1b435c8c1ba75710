// Findings about routes between clusters, and about what happens to packets on the way.
import type { FindingKind } from './types.ts';

export const routeFindings = [
  {
    code: 'ISM047',
    severity: 'warning',
    title: 'There are very many routes per node',
    why: 'Above 20,000 routes, changes take noticeable time on every node and the configuration grows large.',
    mend: 'Use larger blocks, or let routers carry the pod CIDRs (`routes.provider: bgp`).',
  },
  {
    code: 'ISM048',
    severity: 'warning',
    title: 'It is not known whether source addresses survive',
    why: 'Most CNIs replace the pod address by the node address when a packet leaves the cluster. For this cluster, isthmus cannot tell. Traffic flows all the same, but policies and logs of the other cluster see nodes.',
    mend: 'Exempt the pod CIDRs of the other clusters from source NAT in the CNI of this cluster.',
  },
  {
    code: 'ISM050',
    severity: 'warning',
    title: 'Source NAT would hide pod addresses',
    why: "This cluster replaces the pod address by the node address for packets to the other cluster's pods. Policies and logs there see nodes instead of pods.",
    mend: 'Exempt the pod CIDRs of the other clusters, as the finding says for the CNI at hand.',
  },
  {
    code: 'ISM051',
    severity: 'warning',
    title: 'The pod network is encapsulated or encrypted; routes bypass that',
    why: 'Packets to the other cluster go plain from node to node, without the tunnel or encryption that is used inside the cluster. Its pods may also have a smaller MTU than those of the other cluster.',
    mend: 'Make sure that the network between the nodes passes pod addresses, and use mutual TLS (STRICT) where encryption matters.',
  },
  {
    code: 'ISM052',
    severity: 'error',
    title: 'The pod network is not flat',
    why: 'This CNI carries pod packets in its own tunnels only; nodes drop or misroute plain packets for pods. Routes cannot join such a cluster.',
    mend: 'Switch the CNI to native routing, or put the clusters in different networks and join them by gateways.',
  },
  {
    code: 'ISM053',
    severity: 'info',
    title: 'The clusters are in different networks',
    why: 'mesh.yaml says so, or something that was found keeps them from being one flat network. No routes are planned between networks: pods reach each other through an east-west gateway in each cluster, with mutual TLS from end to end. Istio 0.8 has no such gateways, and there this is a warning.',
    mend: 'Nothing to do where gateways are wanted. To have routes, mend what the finding names, or give the clusters the same `network`; what still speaks against it is then an error.',
  },
  {
    code: 'ISM054',
    severity: 'error',
    title: 'The route protocol number belongs to someone else',
    why: "The number marks routes as isthmus's own. Another program that uses it would delete these routes, or isthmus would take its routes for its own. Calico's Felix deletes every route with its number that it did not make.",
    mend: 'Choose another `routes.protocol`, such as the default 157.',
  },
  {
    code: 'ISM055',
    severity: 'warning',
    title: 'Routes of a manual or older installation are left over',
    why: 'A route that isthmus did not make leads into a pod CIDR of another cluster, where no block of that cluster is. It may be out of date and nobody removes it.',
    mend: 'Delete it on that node: `ip route del <destination> via <address>`.',
  },
  {
    code: 'ISM056',
    severity: 'error',
    title: 'A foreign route is in the way',
    why: 'The node already has a route for these addresses, and it leads elsewhere. isthmus never replaces a route that it did not make, so pods behind it cannot be reached.',
    mend: 'Find out who made the route. When it is left over from manual work, delete it on that node and plan again.',
  },
  {
    code: 'ISM057',
    severity: 'info',
    title: 'A route is there already',
    why: 'Someone else made the same route with the same next hop. It is left as it is; uninstall leaves it too.',
    mend: 'Nothing to do. Delete it by hand before you install when isthmus shall look after it.',
  },
] as const satisfies readonly FindingKind[];
