// The manifest of a chart in a registry, against what helm itself pushed.
import { manifestDigest } from '../../src/publish/manifest.ts';
import { ChartMetadata } from '../../src/publish/types.ts';
import { assert, describe } from '../helpers/suite.ts';

/** Every field that helm reads, and characters that Go's JSON escapes. */
const metadata = ChartMetadata.parse({
  type: 'application',
  kubeVersion: '>= 1.28.0-0 <2',
  annotations: {
    'org.opencontainers.image.created': '1980-01-01T00:00:00Z',
    'a/b': 'x & y\n',
    'org.opencontainers.image.title': 'not this',
  },
  deprecated: true,
  appVersion: (1.5).toFixed(1),
  apiVersion: 'v2',
  icon: 'https://charts.corp/icon.svg',
  maintainers: [{ name: 'A', email: 'a@charts.corp', url: 'https://charts.corp' }, { name: 'B' }],
  keywords: ['k'],
  description: 'Every "field"  of it',
  version: '1.2.3-rc.1+abc',
  sources: ['https://charts.corp/1', 'https://charts.corp/2'],
  home: 'https://charts.corp',
  name: 'every',
});

describe('the digest of a manifest', ({ test }) => {
  test('does not depend on the order in which Chart.yaml is written', () => {
    const { name, version, ...rest } = metadata;
    const reordered = ChartMetadata.parse({ ...rest, version, name });

    assert.is(manifestDigest({ metadata: reordered, bytes: Buffer.from('x') }), manifestDigest({ metadata, bytes: Buffer.from('x') }));
  });

  test('is unknown where helm would take the time of a file', () => {
    assert.is(manifestDigest({ metadata: { ...metadata, annotations: {} }, bytes: Buffer.from('x') }), undefined);
  });

  test('covers the contents, every field and the provenance', () => {
    const bytes = Buffer.from('x');

    const all = [
      manifestDigest({ metadata, bytes }),
      manifestDigest({ metadata, bytes: Buffer.from('y') }),
      manifestDigest({ metadata, bytes }, 'signed'),
      manifestDigest({ metadata: { ...metadata, home: 'https://elsewhere.corp' }, bytes }),
    ];

    assert.is(new Set(all).size, all.length);
  });
});
