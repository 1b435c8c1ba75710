// Findings about ambient, Istio's data plane without a proxy in every pod.
import type { FindingKind } from './types.ts';

export const ambientFindings = [
  {
    code: 'ISM080',
    severity: 'error',
    title: 'Ambient cannot be used like this',
    why: 'Istio joins clusters for ambient since 1.27, and documents it for primaries in different networks alone: no remotes, and no two clusters in one network. isthmus does not install Istio for it, because that also means istio-cni and ztunnel on every node.',
    mend: 'Change mesh.yaml as the finding says, or leave `istio.dataplane` out for sidecars.',
  },
  {
    code: 'ISM081',
    severity: 'error',
    title: 'istiod does not join networks for ambient',
    why: 'istiod makes the gateway between networks only when it runs with PILOT_ENABLE_AMBIENT=true (profile ambient) and AMBIENT_ENABLE_MULTI_NETWORK=true. Without them the gateway stays an object that nobody acts on.',
    mend: 'Run the command that the finding prints.',
  },
  {
    code: 'ISM082',
    severity: 'error',
    title: 'The Gateway API is not in a cluster',
    why: 'The gateway of ambient is an object of the Gateway API, whose definitions are no part of Kubernetes or of Istio.',
    mend: 'Run the command that the finding prints.',
  },
  {
    code: 'ISM083',
    severity: 'warning',
    title: 'Ambient is not proven by traffic',
    why: 'What isthmus makes for ambient is what Istio documents, valid for the definitions of the Gateway API, and taken by a real istiod. None of its tests sends a request through it, because they have no ztunnel.',
    mend: 'Try it in clusters where a failure harms nobody, with a request from each cluster to each other one.',
  },
] as const satisfies readonly FindingKind[];
