// References of images: taken apart, and put below a mirror without losing tag or digest.
import { lockImages, mirroredImage, rewriteRules, splitImage } from '../../src/bundle/images.ts';
import { assert, describe } from '../helpers/suite.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('images of a bundle', ({ test }) => {
  test('are split into repository, tag and digest, whatever the registry', () => {
    assert.equal(splitImage('registry.corp:5000/istio/proxyv2:1.30.3'), {
      repository: 'registry.corp:5000/istio/proxyv2',
      tag: '1.30.3',
      digest: undefined,
    });
    assert.equal(splitImage(`registry.corp:5000/istio/proxyv2@${digest}`), {
      repository: 'registry.corp:5000/istio/proxyv2',
      tag: undefined,
      digest,
    });
    assert.equal(splitImage(`proxyv2:1@${digest}`), { repository: 'proxyv2', tag: '1', digest });
  });

  test('keep tag and digest below a mirror', () => {
    const images = ['registry.istio.io/release/proxyv2:1.30.3', `docker.io/istio/citadel@${digest}`];
    const rules = rewriteRules(lockImages(new Map(images.map((image) => [image, ['x']])), new Map()));

    const mirrored = images.map((image) => mirroredImage(image, rules, 'mirror.corp:5000/istio/'));

    assert.equal(mirrored, ['mirror.corp:5000/istio/proxyv2:1.30.3', `mirror.corp:5000/istio/citadel@${digest}`]);
    assert.is(mirroredImage('other.example/x:1', rules, 'mirror.corp'), 'other.example/x:1');
  });

  test('with the same last part keep their paths apart below a mirror', () => {
    const images = ['docker.io/istio/proxy:1', 'registry.corp:5000/own/proxy:1', 'docker.io/istio/pilot:1'];
    const rules = rewriteRules(lockImages(new Map(images.map((image) => [image, ['x']])), new Map()));

    assert.equal(
      rules.rules.map(({ to }) => to),
      ['pilot', 'docker.io/istio/proxy', 'registry.corp-5000/own/proxy'],
    );
  });
});
