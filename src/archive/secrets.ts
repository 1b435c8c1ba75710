// Finds what must never travel in a bundle or a published chart: private keys, tokens, kubeconfigs, passwords, Secrets with data. It tells where, never what.
import { archiveError } from './errors.ts';
import type { ArchiveEntry } from './types.ts';

const secretNames =
  /(?:^|\/)(?:kubeconfig[^/]*|id_(?:rsa|dsa|ecdsa|ed25519)|\.env|\.netrc|\.npmrc|\.dockerconfigjson|[^/]*\.(?:key|p12|pfx|jks|kdbx|kubeconfig))$/i;

/** Each looks at every character a bounded number of times: texts from outside may be made to keep it busy. */
const patterns: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY/, 'a private key'],
  [/(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/, 'a token'],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bglpat-[\w-]{20}/, 'a token'],
  [/^[ \t]*"?(?:client-key-data|client-certificate-data)"?[ \t]*:[ \t]*["']?[A-Za-z0-9+/=]{8}/m, 'a kubeconfig'],
  [
    /(?:^|[{,])[ \t]*["']?(?:token|password|passwd|client-secret|clientSecret|secretKey)["']?[ \t]*:[ \t]*["']?[\w+/=.~-]{12,}/m,
    'a token or password',
  ],
  [/"auth"\s*:\s*"[A-Za-z0-9+/=]{8,}"/, 'credentials of a registry'],
  [/\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s/:@"']+:[^\s/@"'{}]+@/i, 'a URL with a password'],
];

/** PEM in base64, as Secrets and kubeconfigs hold it: it begins with the encoded `-----BEGIN`. */
const encodedPem = /LS0tLS1CRUdJTi[A-Za-z0-9+/=]{8,80}/g;

/** `kind: Config` with users or contexts, at any depth: a kubeconfig may be a value in a ConfigMap. */
const kubeconfig = /^[ \t]*"?kind"?[ \t]*:[ \t]*["']?Config["']?,?[ \t]*$/m;
const kubeconfigPart = /^[ \t]*"?(?:users|contexts|current-context)"?[ \t]*:/m;
/** The form of a kubeconfig that is filled in later, from a cluster: it holds nothing yet. */
const kubeconfigTemplate = /^[ \t]*token[ \t]*:[ \t]*\{\{/m;

/**
 * Refuses a file that holds a secret, by its name or by its text.
 * @param where the file, as it is named in the error; what was found is not
 * @throws IsthmusError (findings)
 */
export function refuseSecrets(where: string, text: string): void {
  if (secretNames.test(where)) throw secretError('is named like a key or a kubeconfig', where);
  for (const [pattern, what] of patterns) {
    const match = pattern.exec(text);
    if (match !== null) throw secretError(`holds ${what}`, `${where}:${lineOf(text, match.index)}`);
  }
  for (const match of text.matchAll(encodedPem)) {
    if (!/-----BEGIN [A-Z0-9 ]*PRIVATE KEY/.test(Buffer.from(match[0], 'base64').toString('latin1'))) continue;
    throw secretError('holds a private key', `${where}:${lineOf(text, match.index)}`);
  }
  if (kubeconfig.test(text) && kubeconfigPart.test(text) && !kubeconfigTemplate.test(text)) throw secretError('holds a kubeconfig', where);
}

/**
 * Refuses a Secret with data among objects; without data, a Secret only asks the cluster for a token.
 * @param object one parsed manifest
 */
export function refuseSecretData(where: string, object: unknown): void {
  if (!isRecord(object) || object['kind'] !== 'Secret') return;
  const filled = ['data', 'stringData'].some((key) => isRecord(object[key]) && Object.keys(object[key]).length > 0);
  if (filled) throw secretError('is a Secret with data', where);
}

/** `refuseSecrets` for every file of a chart package. */
export function refuseSecretsInChart(where: string, entries: readonly ArchiveEntry[]): void {
  for (const { path, contents } of entries) refuseSecrets(`${where} ${path}`, Buffer.from(contents).toString('utf8'));
}

function secretError(message: string, where: string) {
  return archiveError(`${message}; what is passed on carries no secrets`, where);
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
