// Calico's `natOutgoing` on one node: packets of pods to addresses outside every IPPool leave with the node's own address.
import { join } from 'node:path';
import type { LabProcess } from '../process.ts';
import { waitFor } from '../wait.ts';
import type { Machine } from './machine.ts';

/** Chain of the nat table that holds the rules, and nothing else. */
export const masqueradeChain = 'lab-nat-outgoing';

/**
 * Follows the IPPools of a cluster, as Felix does: who leaves one that has natOutgoing for an address that is in none is masqueraded.
 * A disabled pool counts as well: no pod has an address of it, but those who have are not masqueraded on the way to it.
 * @param site where the API server is, and the folder of its keys
 */
export function startMasquerade(machine: Machine, { server, pki, kubeconfig }: MasqueradeSite): LabProcess {
  const url = `${server}/apis/crd.projectcalico.org/v1/ippools?watch=true`;
  const keys = ['--cacert', join(pki, 'ca.crt'), '--cert', join(pki, 'admin.crt'), '--key', join(pki, 'admin.key')];
  return machine.start('masquerade', 'sh', '-c', script, 'masquerade', kubeconfig, ...keys, url);
}

interface MasqueradeSite {
  readonly server: string;
  readonly pki: string;
  /** Path of a kubeconfig that may read IPPools. */
  readonly kubeconfig: string;
}

/** Returns when a node has the rules of at least one pool. */
export async function masqueradeReady(machine: Machine): Promise<void> {
  await waitFor(`masquerading on ${machine.name}`, async () =>
    (await machine.run('iptables', '-t', 'nat', '-S', masqueradeChain)).includes('MASQUERADE'),
  );
}

/** curl says that something has changed, kubectl what there is now: every rule is written again, in one step. */
const script = `
kubeconfig=$1
shift

pools() {
  kubectl --kubeconfig "$kubeconfig" get ippools.crd.projectcalico.org -o jsonpath="$1"
}

write_rules() {
  inside=$(pools '{range .items[*]}-A ${masqueradeChain} -d {.spec.cidr} -j RETURN{"\\n"}{end}') || return
  outside=$(pools '{range .items[?(@.spec.natOutgoing==true)]}-A ${masqueradeChain} -s {.spec.cidr} -j MASQUERADE{"\\n"}{end}') || return
  printf '*nat\\n:${masqueradeChain} - [0:0]\\n%s\\n%s\\nCOMMIT\\n' "$inside" "$outside" | iptables-restore --noflush
}

iptables -t nat -N ${masqueradeChain}
iptables -t nat -I POSTROUTING -j ${masqueradeChain}
while :; do
  curl --silent --fail --no-buffer "$@" | while read -r _; do write_rules; done
  sleep 1
done
`;
