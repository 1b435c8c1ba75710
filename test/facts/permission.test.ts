// The RBAC rule that a refused request needs.
import { permissionHint } from '../../src/facts/permission.ts';
import { assert, describe } from '../helpers/suite.ts';

const rules: readonly (readonly [path: string, rule: string])[] = [
  ['/api/v1/nodes', 'a ClusterRole:\n- apiGroups: [""]\n  resources: ["nodes"]\n  verbs: ["list"]'],
  [
    '/api/v1/namespaces/kube-system',
    'a ClusterRole:\n- apiGroups: [""]\n  resources: ["namespaces"]\n  resourceNames: ["kube-system"]\n  verbs: ["get"]',
  ],
  [
    '/api/v1/namespaces/istio-system/configmaps/istio',
    'a Role in namespace istio-system, or a ClusterRole:\n- apiGroups: [""]\n  resources: ["configmaps"]\n  resourceNames: ["istio"]\n  verbs: ["get"]',
  ],
  [
    '/apis/crd.projectcalico.org/v1/blockaffinities',
    'a ClusterRole:\n- apiGroups: ["crd.projectcalico.org"]\n  resources: ["blockaffinities"]\n  verbs: ["list"]',
  ],
  [
    '/apis/apps/v1/namespaces/istio-system/deployments',
    'a Role in namespace istio-system, or a ClusterRole:\n- apiGroups: ["apps"]\n  resources: ["deployments"]\n  verbs: ["list"]',
  ],
  ['/version', 'a ClusterRole:\n- nonResourceURLs: ["/version"]\n  verbs: ["get"]'],
  ['/apis/projectcalico.org/v3', 'a ClusterRole:\n- nonResourceURLs: ["/apis/projectcalico.org/v3"]\n  verbs: ["get"]'],
];

describe('permission hint', ({ test }) => {
  for (const [path, rule] of rules) {
    test(`names the rule for ${path}`, () => {
      assert.is(permissionHint(path), `Grant the user of this kubeconfig this rule in ${rule}`);
    });
  }
});
