// Checks before the first write: permissions, and whether the namespace of the agents admits them.
import * as z from 'zod';
import { failure, messageOf } from '../base/errors.ts';
import type { ClusterClient } from '../system/types.ts';
import { readNamespace } from './namespaces.ts';
import type { Session } from './session.ts';

interface Rule {
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
  /** Namespace it is needed in; absent for cluster-wide. */
  readonly namespace?: string;
}

/** What installing one chart needs beyond the Secrets in which helm keeps its releases. */
const chartRules: Readonly<Record<string, readonly Omit<Rule, 'verbs'>[]>> = {
  'istio-base': [{ group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' }],
  istiod: [
    { group: 'apps', resource: 'deployments' },
    { group: '', resource: 'configmaps' },
    { group: '', resource: 'serviceaccounts' },
    { group: 'admissionregistration.k8s.io', resource: 'mutatingwebhookconfigurations' },
    { group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
  ],
  'istio-ilb': [{ group: '', resource: 'services' }],
  'route-installer': [
    { group: '', resource: 'configmaps' },
    { group: 'batch', resource: 'jobs' },
    { group: 'apps', resource: 'daemonsets' },
  ],
  'eastwest-gateway': [
    { group: '', resource: 'services' },
    { group: '', resource: 'serviceaccounts' },
    { group: 'apps', resource: 'deployments' },
    { group: 'policy', resource: 'poddisruptionbudgets' },
    { group: 'networking.istio.io', resource: 'gateways' },
    { group: 'networking.istio.io', resource: 'virtualservices' },
  ],
  'ambient-gateway': [
    { group: '', resource: 'configmaps' },
    { group: 'gateway.networking.k8s.io', resource: 'gateways' },
  ],
  'istio-reader': [
    { group: '', resource: 'serviceaccounts' },
    { group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
    { group: 'rbac.authorization.k8s.io', resource: 'clusterrolebindings' },
  ],
  'istio-remote': [
    { group: '', resource: 'services' },
    { group: 'discovery.k8s.io', resource: 'endpointslices' },
    { group: 'admissionregistration.k8s.io', resource: 'mutatingwebhookconfigurations' },
    { group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
  ],
  'istio-remote-classic': [
    { group: '', resource: 'services' },
    { group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
  ],
};
const clusterWide: ReadonlySet<string> = new Set([
  'customresourcedefinitions',
  'mutatingwebhookconfigurations',
  'clusterroles',
  'clusterrolebindings',
  'namespaces',
]);
const writing = ['create', 'patch', 'delete'] as const;

const Review = z.object({ status: z.object({ allowed: z.boolean() }) });

export interface NeededRelease {
  readonly chart: string;
  readonly namespace: string;
}

/** The permissions that a run needs in one cluster. */
export function neededRules(releases: readonly NeededRelease[], leaseNamespace: string): readonly Rule[] {
  const secrets = [...new Set(releases.map(({ namespace }) => namespace))].map((namespace) => ({
    group: '',
    resource: 'secrets',
    namespace,
  }));
  const charts = releases.flatMap(({ chart, namespace }) =>
    (chartRules[chart] ?? []).map((rule) => (clusterWide.has(rule.resource) ? rule : { ...rule, namespace })),
  );
  return [
    { group: '', resource: 'namespaces', verbs: ['create', 'patch'] },
    { group: 'coordination.k8s.io', resource: 'leases', namespace: leaseNamespace, verbs: ['get', 'create', 'update'] },
    ...[...secrets, ...charts].map((rule) => ({ ...rule, verbs: writing })),
  ];
}

/**
 * Asks the API server for each permission.
 * @throws IsthmusError with every missing rule, as it would stand in a Role
 */
export async function checkPermissions({ client, spec }: Session, rules: readonly Rule[]): Promise<void> {
  const asked = rules.flatMap((rule) => rule.verbs.map((verb) => ({ rule, verb })));
  const allowed = await Promise.all(asked.map(({ rule, verb }) => isAllowed(client, rule, verb)));
  const missing = asked.filter((_, index) => allowed[index] === false);
  if (missing.length === 0) return;
  const lines = rules.flatMap((rule) => {
    const verbs = missing.filter((each) => each.rule === rule).map(({ verb }) => verb);
    if (verbs.length === 0) return [];
    const where = rule.namespace === undefined ? 'ClusterRole' : `Role in ${rule.namespace}`;
    return [`${where}: {apiGroups: ["${rule.group}"], resources: ["${rule.resource}"], verbs: [${verbs.join(', ')}]}`];
  });
  throw failure('ISM006: the user of this context lacks permissions', { where: spec.name, hint: lines.join('\n') });
}

/**
 * Sends the API server a pod like the agents', as a dry run, so that Pod Security, quotas and webhooks speak up now and not as Jobs
 * without pods. A namespace that does not exist yet gets the labels it needs from isthmus.
 */
export async function checkAdmission({ client, spec }: Session, namespace: string): Promise<void> {
  const current = await readNamespace(client, namespace);
  if (current === undefined || current.metadata.deletionTimestamp !== undefined) return;
  try {
    await client.create(`/api/v1/namespaces/${namespace}/pods`, agentPod(namespace), { dryRun: true });
  } catch (error) {
    const message = messageOf(error);
    if (!/PodSecurity|exceeded quota|denied the request/.test(message)) return;
    throw failure(`namespace ${namespace} does not admit the pods that install routes: ${message}`, {
      where: spec.name,
      hint: 'They need the host network and NET_ADMIN: label the namespace pod-security.kubernetes.io/enforce=privileged, or exempt it.',
    });
  }
}

async function isAllowed(client: ClusterClient, { group, resource, namespace }: Rule, verb: string): Promise<boolean> {
  const resourceAttributes = { group, resource, verb, ...(namespace === undefined ? {} : { namespace }) };
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    metadata: { name: '' },
    spec: { resourceAttributes },
  };
  const answer = await client.create('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review);
  const parsed = Review.safeParse(answer);
  // Without an answer nothing is known; the write itself will tell.
  return !parsed.success || parsed.data.status.allowed;
}

function agentPod(namespace: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'isthmus-preflight', namespace },
    spec: {
      hostNetwork: true,
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'agent',
          image: 'preflight.invalid/none',
          resources: { requests: { cpu: '5m', memory: '16Mi' }, limits: { memory: '128Mi' } },
          securityContext: {
            runAsUser: 0,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
            seccompProfile: { type: 'RuntimeDefault' },
          },
        },
      ],
    },
  };
}
