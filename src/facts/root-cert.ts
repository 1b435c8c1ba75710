// The root certificates that Istio hands to its proxies, as fingerprints that can be compared between clusters.
import { rootFingerprint } from '../base/certificates.ts';
import { istioNames } from '../base/names.ts';
import { ConfigMap, configMapPath } from './objects.ts';
import type { Reads } from './reads.ts';
import type { Observed } from './schema.ts';

/**
 * SHA-256 fingerprint of the root in ConfigMap istio-ca-root-cert of the system namespace, or of the default namespace;
 * several roots are joined by spaces in order. Undefined where there is none yet.
 */
export async function readRootCert(reads: Reads, istioNamespace: string): Promise<Observed<string> | undefined> {
  for (const namespace of new Set([istioNamespace, 'default'])) {
    const configMap = await reads.get(configMapPath(namespace, istioNames.rootCertConfigMap), ConfigMap);
    const text = configMap?.data.get('root-cert.pem');
    if (text !== undefined) return observe(text, `ConfigMap ${namespace}/${istioNames.rootCertConfigMap}`, reads.report);
  }
  return undefined;
}

function observe(text: string, source: string, report: Reads['report']): Observed<string> | undefined {
  const value = rootFingerprint(text);
  if (value !== undefined) return { value, source };
  report({ code: 'ISM008', where: source, message: 'root-cert.pem holds no readable certificate' });
  return undefined;
}
