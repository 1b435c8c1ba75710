// Which RBAC rule a request needs, so that a refusal can say exactly what to grant.

const corePath = /^\/api\/(?<version>[^/]+)\/(?<rest>.+)$/;
const groupPath = /^\/apis\/(?<group>[^/]+)\/[^/]+\/(?<rest>.+)$/;
const resourcePath = /^(?:namespaces\/(?<namespace>[^/]+)\/)?(?<resource>[^/]+)(?:\/(?<name>[^/]+))?$/;

/**
 * The missing rule as YAML with the kind of role it belongs in, for the hint of a finding.
 * A path with an object's name needs `get` of that name, one without needs `list` (Kubernetes: Authorization overview).
 * @param path API path without a query, such as `/api/v1/nodes`
 */
export function permissionHint(path: string): string {
  const group = corePath.test(path) ? '' : groupPath.exec(path)?.groups?.['group'];
  const rest = (corePath.exec(path) ?? groupPath.exec(path))?.groups?.['rest'];
  const parts = rest === undefined ? undefined : resourcePath.exec(rest)?.groups;
  if (group === undefined || parts === undefined) return rule('a ClusterRole', [`nonResourceURLs: ["${path}"]`, 'verbs: ["get"]']);
  const { namespace, resource = '', name } = parts;
  const role = namespace === undefined ? 'a ClusterRole' : `a Role in namespace ${namespace}, or a ClusterRole`;
  const names = name === undefined ? [] : [`resourceNames: ["${name}"]`];
  return rule(role, [
    `apiGroups: ["${group}"]`,
    `resources: ["${resource}"]`,
    ...names,
    `verbs: ["${name === undefined ? 'list' : 'get'}"]`,
  ]);
}

function rule(role: string, lines: readonly string[]): string {
  return `Grant the user of this kubeconfig this rule in ${role}:\n- ${lines.join('\n  ')}`;
}
