// What happens to packets of pods on their way to other clusters: who replaces their source address, and what keeps it.
import { type Cidr, contains, formatCidr, parseCidr } from '../base/cidr.ts';
import { makeFinding } from '../findings/index.ts';
import type { Finding } from '../findings/types.ts';
import type { ResolvedCluster } from './cluster.ts';
import { cniName } from './cni.ts';
import { listText } from './text.ts';
import type { ExemptPool, SourceNat } from './types.ts';

export interface SourceNatPlan {
  readonly plan: SourceNat;
  readonly findings: readonly Finding[];
}

/** Pod CIDRs of another cluster that packets go to. */
export interface RemotePods {
  readonly cluster: string;
  readonly podCIDRs: readonly Cidr[];
}

interface Question {
  readonly cluster: ResolvedCluster;
  readonly cni: string;
  readonly remotes: readonly RemotePods[];
  /** True when route-installer is installed here and can carry exemptions. */
  readonly installs: boolean;
}

type Answer = Pick<SourceNat, 'method' | 'reason'> & {
  readonly cidrs?: readonly Cidr[];
  readonly pools?: readonly ExemptPool[];
  /** Code and hint of the finding, where there is one. */
  readonly finding?: { readonly code: 'ISM048' | 'ISM050'; readonly hint?: string };
};

/** Pools that isthmus made in an earlier installation; they are planned again, not taken for someone else's. */
const ownPool = /^isthmus-/;

/** How pod addresses survive on the way from `cluster` to `remotes`. */
export function planSourceNat(question: Omit<Question, 'cni'>): SourceNatPlan {
  const cni = question.cluster.facts.cni?.value.name ?? 'unknown';
  const { method, reason, cidrs = [], pools = [], finding } = answer({ ...question, cni: cni.toLowerCase() });
  const findings = finding === undefined ? [] : [makeFinding({ ...finding, cluster: question.cluster.name, message: `${reason}.` })];
  return { plan: { cni, method, cidrs: cidrs.map(formatCidr), pools, reason }, findings };
}

/** Says when packets to other clusters leave the tunnels or the encryption that the cluster uses inside. */
export function checkEncapsulation(cluster: ResolvedCluster): Finding[] {
  const cni = cluster.facts.cni?.value;
  if (cni === undefined || cni.encapsulation === 'none' || cni.encapsulation === 'unknown') return [];
  const message = `${cniName(cni.name)} wraps pod packets between its own nodes (${cni.encapsulation}); those to other clusters go plain.`;
  return [makeFinding({ code: 'ISM051', cluster: cluster.name, message })];
}

function answer(question: Question): Answer {
  const all = question.remotes.flatMap((remote) => remote.podCIDRs);
  if (all.length === 0) return { method: 'none-needed', reason: 'No pods of other clusters are reached directly' };
  if (question.cni === 'calico') return calico(question);
  if (question.cni === 'flannel') return flannel(question, all);
  return others(question, all);
}

function calico(question: Question): Answer {
  const { cluster, remotes, installs } = question;
  const { pools } = cluster.facts;
  if (pools.length === 0) return unknownPools();
  if (pools.every((pool) => pool.disabled || !pool.natOutgoing)) {
    return { method: 'none-needed', reason: 'No IPPool of Calico has natOutgoing' };
  }
  const covering = pools.filter((pool) => !ownPool.test(pool.name)).map((pool) => parseCidr(pool.cidr));
  const exempt = remotes.map(({ cluster: name, podCIDRs }) => ({
    name,
    cidrs: podCIDRs.filter((cidr) => !covering.some((pool) => typeof pool !== 'string' && contains(pool, cidr))),
  }));
  const cidrs = exempt.flatMap((remote) => remote.cidrs);
  if (cidrs.length === 0) return { method: 'none-needed', reason: 'IPPools of Calico hold the pod CIDRs of the other clusters already' };
  const planned = exempt.flatMap(({ name, cidrs: list }) =>
    list.map((cidr, n) => ({ name: `isthmus-${name}-${n + 1}`, cidr: formatCidr(cidr) })),
  );
  if (installs)
    return {
      method: 'ip-pools',
      reason: 'Calico masquerades packets to addresses outside its IPPools; disabled IPPools keep them',
      cidrs,
      pools: planned,
    };
  return {
    method: 'unknown',
    reason: `Calico masquerades packets to ${listText(cidrs.map(formatCidr))}`,
    cidrs,
    finding: {
      code: 'ISM050',
      hint: 'Create an IPPool with `disabled: true`, `natOutgoing: false` and `disableBGPExport: true` for each of these.',
    },
  };
}

function unknownPools(): Answer {
  return {
    method: 'unknown',
    reason: 'The IPPools of Calico are unknown, and with them whether it masquerades packets to other clusters',
    finding: { code: 'ISM048', hint: 'Create a disabled IPPool for each pod CIDR of the other clusters where `natOutgoing` is on.' },
  };
}

function flannel({ installs }: Question, cidrs: readonly Cidr[]): Answer {
  if (installs)
    return {
      method: 'return-rule',
      reason: 'flannel masquerades everything that leaves its network; a RETURN rule kept on every node exempts the other clusters',
      cidrs,
    };
  return {
    method: 'unknown',
    reason: `flannel masquerades packets to ${listText(cidrs.map(formatCidr))}`,
    cidrs,
    finding: { code: 'ISM050', hint: 'Run flanneld with `--ip-masq=false`, or add a nat RETURN rule for these ahead of its own.' },
  };
}

/** What to set, by CNI; `CIDRS` stands for the pod CIDRs of the other clusters. */
const settings: Readonly<Record<string, string>> = {
  cilium: 'Set `ipv4NativeRoutingCIDR` so that it covers CIDRS, or list them in `nonMasqueradeCIDRs` of ip-masq-agent.',
  antrea: 'Set `noSNAT: true` in the configuration of antrea-agent, or exempt CIDRS in your network.',
  kindnet: 'Exempt CIDRS with a nat RETURN rule ahead of those of kindnet.',
  'kube-router': 'Run kube-router with `--enable-pod-egress=false`, or exempt CIDRS.',
  aws: 'Set AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS of aws-node to CIDRS.',
  gke: 'List CIDRS in `nonMasqueradeCIDRs` of ip-masq-agent.',
  azure: 'List CIDRS in `nonMasqueradeCIDRs` of azure-ip-masq-agent.',
};

function others({ cluster, cni }: Question, cidrs: readonly Cidr[]): Answer {
  const exempt = cluster.facts.natExemptCIDRs;
  const parsed = (exempt?.value ?? []).map(parseCidr);
  const missing = cidrs.filter((cidr) => !parsed.some((range) => typeof range !== 'string' && contains(range, cidr)));
  const shown = listText(missing.map(formatCidr));
  if (missing.length === 0)
    return { method: 'none-needed', reason: `${cniName(cni)} exempts the other clusters already (${exempt?.source})` };
  const hint = settings[cni]?.replace('CIDRS', shown);
  const advice = hint === undefined ? {} : { hint };
  if (exempt !== undefined) {
    return {
      method: 'unknown',
      reason: `${cniName(cni)} masquerades packets to ${shown} (${exempt.source})`,
      cidrs: missing,
      finding: { code: 'ISM050', ...advice },
    };
  }
  const who = cni === 'unknown' ? 'the CNI of this cluster' : cniName(cni);
  return {
    method: 'unknown',
    reason: `It is not known whether ${who} keeps pod addresses in packets to ${shown}`,
    cidrs: missing,
    finding: { code: 'ISM048', ...advice },
  };
}
