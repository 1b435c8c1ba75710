// Indexes of chart repositories for tests: ours, and what helm writes for others.
import { IsthmusError } from '../../src/base/errors.ts';
import { parseYaml } from '../../src/base/yaml.ts';
import { type IndexEntry, mergeIndex } from '../../src/publish/index-file.ts';
import { assert, thrownBy } from '../helpers/suite.ts';

export const digests = ['a', 'b', 'c'].map((letter) => letter.repeat(64));

export function entry(name: string, version: string, digest = digests[0] ?? ''): IndexEntry {
  return { name, version, digest, apiVersion: 'v2', created: '1980-01-01T00:00:00Z', urls: [`https://charts.corp/${name}-${version}.tgz`] };
}

export interface Versions {
  readonly [name: string]: readonly { readonly version: string; readonly [field: string]: unknown }[];
}

/** `entries` of an index. */
export function entriesOf(text: string): Versions {
  return (parseYaml(text, 'index.yaml').value as { entries: Versions }).entries;
}

/** What `helm repo index` of helm 3 writes, shortened. */
export const helmIndex = `apiVersion: v1
entries:
  nginx:
  - apiVersion: v2
    appVersion: 1.16.0
    created: "2026-01-02T03:04:05.678901234Z"
    description: A chart of others
    digest: ${'d'.repeat(64)}
    name: nginx
    urls:
    - https://charts.corp/nginx-0.2.0.tgz
    version: 0.2.0
  - version: 0.1.0 # kept for old clusters
    appVersion: 0x10
    deprecated: yes
    revision: 123456789012345678901234567890
    description: |
      # no comment
      - no item

      last line
    name: nginx
generated: "2026-01-02T03:04:05.678901234Z"
`;

/** What merging throws. */
export async function refusal(text: string | undefined, entries: readonly IndexEntry[] = []): Promise<IsthmusError> {
  const error = await thrownBy(() => mergeIndex(text, entries, '/repo/index.yaml'));
  assert.ok(error instanceof IsthmusError, String(error));
  return error;
}
