// The root certificates that Istio hands to its proxies, as fingerprints that can be compared between clusters.
import { X509Certificate } from 'node:crypto';
import { istioNames } from '../base/names.ts';
import { sortedUnique } from './lists.ts';
import { ConfigMap, configMapPath } from './objects.ts';
import type { Reads } from './reads.ts';
import type { Observed } from './schema.ts';

const pemBlock = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * SHA-256 fingerprint of the root in ConfigMap istio-ca-root-cert of the system namespace, or of the default namespace;
 * several roots are joined by spaces in order. Undefined where there is none yet.
 */
export async function readRootCert(reads: Reads, istioNamespace: string): Promise<Observed<string> | undefined> {
  for (const namespace of new Set([istioNamespace, 'default'])) {
    const configMap = await reads.get(configMapPath(namespace, istioNames.rootCertConfigMap), ConfigMap);
    const text = configMap?.data.get('root-cert.pem');
    if (text !== undefined) return fingerprint(text, `ConfigMap ${namespace}/${istioNames.rootCertConfigMap}`, reads.report);
  }
  return undefined;
}

function fingerprint(text: string, source: string, report: Reads['report']): Observed<string> | undefined {
  try {
    const roots = (text.match(pemBlock) ?? []).map((pem) => new X509Certificate(pem).fingerprint256);
    if (roots.length > 0) return { value: sortedUnique(roots).join(' '), source };
  } catch {
    // Falls through to the report below: what was wrong inside the certificate does not help.
  }
  report({ code: 'ISM008', where: source, message: 'root-cert.pem holds no readable certificate' });
  return undefined;
}
