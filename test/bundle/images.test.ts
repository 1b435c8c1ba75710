// References of images: taken apart, and put below a mirror without losing tag or digest.
import {
  checkImages,
  checkInjected,
  imagesOfManifests,
  lockImages,
  mirroredHub,
  mirroredImage,
  rewriteRules,
  splitImage,
} from '../../src/bundle/images.ts';
import { injectorHubs } from '../../src/bundle/injectors.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';

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

  test('with the same last part keep their paths apart below a mirror, and those of one place stay together', () => {
    const images = ['docker.io/istio/proxy:1', 'registry.corp:5000/own/proxy:1', 'docker.io/istio/pilot:1', 'docker.io/other/tool:1'];
    const rules = rewriteRules(lockImages(new Map(images.map((image) => [image, ['x']])), new Map()));

    assert.equal(
      rules.rules.map(({ to }) => to),
      ['docker.io/istio/pilot', 'docker.io/istio/proxy', 'tool', 'registry.corp-5000/own/proxy'],
    );
    assert.is(mirroredHub('docker.io/istio', rules, 'mirror.corp'), 'mirror.corp/docker.io/istio');
    assert.is(mirroredHub('docker.io/other', rules, 'mirror.corp/a'), 'mirror.corp/a');
  });
});

describe('pods that are injected', ({ test }) => {
  const labels = { 'sidecar.istio.io/inject': 'true' };
  const annotations = { 'inject.istio.io/templates': 'gateway' };
  const workload = (metadata: object, image = 'auto') => ({
    path: 'manifests/cluster1/70-gateways/deployment.yaml',
    object: { kind: 'Deployment', spec: { template: { metadata, spec: { containers: [{ name: 'istio-proxy', image }] } } } },
  });
  const injected = new Map([['registry.istio.io/release/proxyv2:1.30.3', ['cluster1/eastwest-gateway']]]);

  test('may name `auto` as their image, and nobody else may', async () => {
    const gateway = workload({ labels, annotations });

    assert.is(imagesOfManifests([gateway]).size, 0);
    for (const metadata of [{}, { labels }, { annotations }, { labels, annotations: { 'inject.istio.io/templates': 'sidecar' } }]) {
      const images = imagesOfManifests([workload(metadata)]);
      assert.match(String(await thrownBy(() => checkImages(new Map(), images))), 'auto, in manifests/cluster1/70-gateways/deployment.yaml');
    }
    assert.equal([...imagesOfManifests([workload({ labels, annotations }, 'other:1')]).keys()], ['other:1']);
  });

  test('need an image on the list that the injector gives them', async () => {
    const gateway = workload({ labels, annotations });

    checkInjected(lockImages(new Map(), injected), [gateway]);
    const refused = await thrownBy(() => checkInjected(lockImages(new Map(), new Map()), [gateway]));

    assert.match(String(refused), 'no injected image is listed');
    checkInjected(lockImages(new Map(), new Map()), [workload({})]);
  });

  test('get it from the hub that istiod reads, which must be written so that a script finds it', async () => {
    const injector = (values: string, name = 'istio-sidecar-injector') => ({
      path: `manifests/cluster1/30-config/${name}.yaml`,
      object: { kind: 'ConfigMap', metadata: { name }, data: { values } },
    });
    const values = JSON.stringify({ global: { hub: 'docker.io/istio', tag: '1.30.3' } }, null, 2);

    assert.equal(injectorHubs([injector(values), injector(values, 'istio-sidecar-injector-next'), injector('', 'istio')]), [
      'docker.io/istio',
    ]);
    for (const unreadable of ['', '{}', JSON.stringify(JSON.parse(values))])
      assert.match(String(await thrownBy(() => injectorHubs([injector(unreadable)]))), 'where istiod takes images from');
  });
});
