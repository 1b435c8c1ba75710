// Image references by parts.
import { parseImage } from '../../src/plan/image.ts';
import { assert, describe } from '../helpers/suite.ts';

describe('an image reference', ({ test }) => {
  test('has a registry only where the first part can be one', () => {
    assert.equal(parseImage('istio/proxyv2:1.30.3'), { registry: 'docker.io', repository: 'istio/proxyv2', tag: '1.30.3' });
    assert.equal(parseImage('mirror.corp/istio/proxyv2:1'), { registry: 'mirror.corp', repository: 'istio/proxyv2', tag: '1' });
    assert.equal(parseImage('localhost/x:1'), { registry: 'localhost', repository: 'x', tag: '1' });
    assert.equal(parseImage('mirror:5000/x'), { registry: 'mirror:5000', repository: 'x', tag: '' });
    assert.equal(parseImage('alpine'), { registry: 'docker.io', repository: 'alpine', tag: '' });
  });

  test('may be pinned by a digest, with or without a tag', () => {
    const digest = `sha256:${'0'.repeat(64)}`;

    assert.equal(parseImage(`mirror:5000/x:1@${digest}`), { registry: 'mirror:5000', repository: 'x', tag: '1', digest });
    assert.equal(parseImage(`mirror:5000/x@${digest}`), { registry: 'mirror:5000', repository: 'x', tag: '', digest });
  });
});
