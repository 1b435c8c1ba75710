// A probe pod as an object, and what is read of it again.
import { z } from 'zod';
import { ownLabels } from '../../base/names.ts';
import type { KubeObject } from '../../base/objects.ts';
import { Pod } from '../../release/workload-types.ts';
import type { Owner, ProbeSettings } from '../types.ts';
import { probeScript } from './script.ts';

/** Labels of every probe pod of every run, and the one that names the run. */
export const probeLabels = { ...ownLabels, 'app.kubernetes.io/name': 'isthmus-verify' } as const;
export const runLabel = 'isthmus/run';

const folder = '/run/isthmus';
/** Any user that is not root; no image needs to know it. */
const user = 65_532;
/** A run that was killed leaves pods that end by themselves so many seconds after they should have. */
const slackSeconds = 600;
/** A listener answers one after the other, some tens a second. */
const patienceSeconds = '30';

/** What one pod is for. */
export interface ProbeRequest {
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
  readonly run: string;
  readonly owner?: Owner;
  readonly settings: ProbeSettings;
  /** Longest time that the run may need it, milliseconds. */
  readonly lifetimeMs: number;
  /** `<number> <address>` a line; a pod without targets listens. */
  readonly targets?: string;
}

/** The pod: no privilege, no token, no sidecar, and bound to its node as a DaemonSet would bind it. Restricted by Pod Security. */
export function probePod(request: ProbeRequest): KubeObject {
  const { name, namespace, run, targets, owner } = request;
  const labels = {
    ...probeLabels,
    'app.kubernetes.io/component': targets === undefined ? 'listen' : 'ask',
    [runLabel]: run,
    'sidecar.istio.io/inject': 'false',
    'istio.io/dataplane-mode': 'none',
  };
  const metadata = { name, namespace, labels, ...(owner === undefined ? {} : { ownerReferences: [owner] }) };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: podSpec(request) };
}

function podSpec({ node, settings, lifetimeMs, run, targets }: ProbeRequest) {
  return {
    restartPolicy: 'Never',
    activeDeadlineSeconds: Math.ceil(lifetimeMs / 1000) + slackSeconds,
    terminationGracePeriodSeconds: 1,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    dnsPolicy: 'Default',
    affinity: boundTo(node),
    tolerations: [{ operator: 'Exists' }],
    imagePullSecrets: settings.pullSecrets,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      seccompProfile: { type: 'RuntimeDefault' },
      // Lets every process of the pod ping, which would need a capability otherwise. Pod Security counts it as safe.
      sysctls: [{ name: 'net.ipv4.ping_group_range', value: '0 2147483647' }],
    },
    containers: [
      {
        name: 'probe',
        image: settings.image,
        imagePullPolicy: settings.pullPolicy,
        command: ['sh', '-c', probeScript, 'probe', targets === undefined ? 'listen' : 'ask'],
        env: [
          { name: 'PROBE_RUN', value: run },
          { name: 'PROBE_FOLDER', value: folder },
          { name: 'PROBE_ADDRESS', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          ...(targets === undefined
            ? []
            : [
                { name: 'PROBE_TARGETS', value: targets },
                { name: 'PROBE_PATIENCE', value: patienceSeconds },
              ]),
        ],
        resources: { requests: { cpu: '5m', memory: '16Mi' }, limits: { memory: '128Mi' } },
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        volumeMounts: [{ name: 'run', mountPath: folder }],
      },
    ],
    volumes: [{ name: 'run', emptyDir: { sizeLimit: '64Mi' } }],
  };
}

function boundTo(node: string) {
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }];
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } } };
}

const Phase = z.object({
  status: z
    .object({
      phase: z.string().default('Pending'),
      podIP: z.string().optional(),
      reason: z.string().optional(),
      message: z.string().optional(),
    })
    .prefault({}),
});

/** A probe pod as it is now. */
export interface ProbeState extends Pod {
  readonly phase: string;
  readonly address: string | undefined;
  /** Why the kubelet refused it or ended it. */
  readonly refusal: string | undefined;
}

export function readProbe(object: KubeObject): ProbeState {
  const { phase, podIP, reason, message } = Phase.parse(object).status;
  const refusal = [reason, message].filter((text) => text !== undefined).join(': ');
  return { ...Pod.parse(object), phase, address: podIP, refusal: refusal === '' ? undefined : refusal };
}
