// Manifests of a bundle under both helms, and the script that applies them, under a kubectl that only writes down how it was called.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatChecksums, sha256 } from '../../src/bundle/checksums.ts';
import { imagesOfManifests, lockImages } from '../../src/bundle/images.ts';
import { installScript } from '../../src/bundle/install-script.ts';
import { type RenderedManifest, renderManifests } from '../../src/bundle/manifests.ts';
import type { MeshPlan } from '../../src/plan/types.ts';
import { findHelm } from '../../src/release/helm.ts';
import { readGenerated } from '../../src/release/read.ts';
import { renderMesh } from '../../src/render/mesh.ts';
import { createSystem } from '../../src/system/index.ts';
import { type Helm, helms } from '../helpers/helm.ts';
import { classicPlan, modernPlan } from '../helpers/plans.ts';
import { renderInput, repositoryCharts, repositoryTemplates, writeArtifacts } from '../helpers/render.ts';
import { assert, describe, thrownBy } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';

const folder = mkdtempSync(join(tmpdir(), 'isthmus-manifests-'));
const system = createSystem();
const long = { timeoutMs: 120_000 };
const token = 'dGhlLXRva2Vu';
const digest = `sha256:${'a'.repeat(64)}`;
const keeper = 'daemonset-isthmus-system-route-installer-keeper.yaml';

async function generated(plan: MeshPlan) {
  const out = mkdtempSync(join(folder, 'out-'));
  writeArtifacts(out, renderMesh(renderInput(plan, { charts: repositoryCharts() })));
  return readGenerated(system.files, out);
}

async function manifests(
  plan: MeshPlan,
  helm: Helm,
  kubernetes: ReadonlyMap<string, string> = new Map(),
): Promise<readonly RenderedManifest[]> {
  const found = await findHelm({ ...system, env: { ...system.env, ISTHMUS_HELM: toolPath(helm) } });
  return renderManifests({ generated: await generated(plan), helm: found, kubernetes }).finally(() => found.close());
}

/** Every key of a value, at any depth. */
function keys(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [...(Array.isArray(value) ? [] : [key]), ...keys(child)]);
}

describe('manifests of a bundle', ({ test }) => {
  for (const [name, plan] of Object.entries({ classic: classicPlan(), modern: modernPlan() }))
    test(
      `of the ${name} mesh are the same bytes with both helms, and helm's in all but the namespaces`,
      async () => {
        const [three, four] = await Promise.all(helms.map((helm) => manifests(plan, helm)));

        assert.equal(four, three);
        for (const { path, object } of three ?? []) {
          const { labels, annotations } = object.metadata;
          if (object.kind === 'Namespace') continue;
          assert.is(labels?.['app.kubernetes.io/managed-by'], 'Helm', path);
          assert.ok(annotations?.['meta.helm.sh/release-name'] && annotations['meta.helm.sh/release-namespace'], path);
          assert.ok(object.metadata.namespace !== undefined || /Role|IPPool|Webhook/.test(object.kind), path);
        }
      },
      long,
    );

  test(
    'come in the order in which they work: accounts before their tokens, routes before what joins the mesh',
    async () => {
      const paths = (await manifests(modernPlan(), 'helm4')).map(({ path }) => path);
      const phase = (name: string) => paths.find((path) => path.includes(name))?.split('/')[2] ?? '';

      assert.ok(phase('/serviceaccount-istio-system') < phase('/secret-'));
      assert.ok(phase('/job-') < phase('/mutatingwebhookconfiguration-'));
      assert.is(phase('/service-istio-system-istiod.yaml'), '60-mesh');
      assert.ok(paths.some((path) => path.includes('/90-removal/job-')));
    },
    long,
  );

  test(
    'for Kubernetes 1.10 hold nothing that it does not know',
    async () => {
      const old = await manifests(
        classicPlan(),
        'helm4',
        new Map([
          ['cluster1', '1.10.0+icp-ee'],
          ['cluster2', '1.10.0+icp-ee'],
        ]),
      );

      const versions = new Set(old.map(({ object }) => object.apiVersion));
      const known = ['v1', 'apps/v1', 'batch/v1', 'rbac.authorization.k8s.io/v1', 'crd.projectcalico.org/v1'];
      assert.equal(
        [...versions].filter((version) => !known.includes(version)),
        [],
      );
      const newer = ['seccompProfile', 'enableServiceLinks', 'matchFields', 'priorityClassName', 'loadBalancerClass', 'ipFamilies'];
      const found = new Set(old.flatMap(({ object }) => keys(object)));
      assert.equal(
        newer.filter((key) => found.has(key)),
        [],
      );
      assert.not.match(old.map(({ contents }) => contents).join(''), 'pod-security.kubernetes.io');
    },
    long,
  );

  test('cannot be made of a mesh that waits for an address', async () => {
    const error = await thrownBy(() => manifests(modernPlan([]), 'helm4'));

    assert.match(String(error), 'a bundle cannot be completed later');
  });
});

describe('install.sh of a bundle without its clusters', ({ test, after }) => {
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [name, plan] of Object.entries({ classic: classicPlan(), modern: modernPlan() }))
    test(`passes shellcheck for the ${name} mesh`, async () => {
      const bundle = await unpacked(plan);

      const { code, output } = await run(toolPath('shellcheck'), ['--shell=sh', join(bundle, 'install.sh')], {});

      assert.is(code, 0, output);
    });

  for (const shell of ['dash', 'busybox'] as const)
    test(
      `speaks to Kubernetes 1.10 as it can be spoken to, in ${shell}`,
      async () => {
        const { code, output, calls } = await install(shell, await unpacked(classicPlan()), { minor: '10+' });

        assert.is(code, 0, output);
        assert.not.match(calls, '--server-side');
        assert.match(calls, / apply --validate=false -f \S+\/30-config\n/);
        assert.match(calls, / create --validate=false -f -\n/);
        assert.not.match(output + calls, token);
      },
      long,
    );

  for (const shell of ['dash', 'busybox'] as const)
    test(
      `takes images from a mirror in ${shell}, keeps their digests, and changes nothing else`,
      async () => {
        const bundle = await unpacked(pinned(classicPlan()));

        const { code, output, inputs } = await install(shell, bundle, { minor: '34' }, ['--registry', '10.0.0.1:5000/istio/']);

        assert.is(code, 0, output);
        const images = inputs.match(/^ *(?:- )?image: .*$/gm) ?? [];
        assert.ok(images.length > 3);
        assert.equal(
          images.filter((line) => !line.endsWith(`image: "10.0.0.1:5000/istio/proxyv2:1.30.3@${digest}"`)),
          [],
        );
        const original = readFileSync(join(bundle, 'manifests/cluster1/40-workloads', keeper), 'utf8');
        const moved = original
          .replace('image: registry.istio.io/release/proxyv2', 'image: "10.0.0.1:5000/istio/proxyv2')
          .replace(digest, `${digest}"`);
        assert.ok(inputs.includes(`---\n${moved}`), 'the keeper differs in more than its image');
      },
      long,
    );

  test('takes no mirror that is none', async () => {
    const bundle = await unpacked(modernPlan());

    for (const registry of ['https://mirror.corp', 'mirror corp', '$(id)', '-x']) {
      const { code, output } = await install('dash', bundle, { minor: '34' }, ['--registry', registry]);
      assert.is(code, 1);
      assert.match(output, 'write host and path');
    }
  });

  test(
    'uses nothing of a bundle that was changed or added to',
    async () => {
      const bundle = await unpacked(modernPlan());
      const added = join(bundle, 'manifests', 'cluster1', '30-config', 'added.yaml');
      writeFileSync(added, 'kind: ConfigMap\n');
      const extra = await install('dash', bundle, { minor: '34' });
      rmSync(added);
      writeFileSync(join(bundle, 'manifests', 'cluster1', '00-namespaces', 'namespace-istio-system.yaml'), '{}\n');
      const changed = await install('dash', bundle, { minor: '34' });

      assert.match(extra.output, 'added.yaml is not of this bundle');
      assert.match(changed.output, 'the bundle is damaged');
      assert.is(extra.calls + changed.calls, '');
      assert.equal([extra.code, changed.code], [1, 1]);
    },
    long,
  );
});

async function unpacked(plan: MeshPlan): Promise<string> {
  const mesh = await generated(plan);
  const rendered = await manifests(plan, 'helm4');
  const images = lockImages(imagesOfManifests(rendered), new Map());
  const files = [...rendered, installScript(mesh.index, { images, hubs: [] }, repositoryTemplates())];
  const bundle = mkdtempSync(join(folder, 'bundle-'));
  writeArtifacts(bundle, files);
  writeFileSync(join(bundle, 'checksums.txt'), formatChecksums(new Map(files.map(({ path, contents }) => [path, sha256(contents)]))));
  return bundle;
}

/** The same mesh with the agents' image by digest. */
function pinned(plan: MeshPlan): MeshPlan {
  return JSON.parse(JSON.stringify(plan, (key, value) => (key === 'digest' ? digest : value))) as MeshPlan;
}

/** Installs cluster1 with a kubectl that records its arguments and answers as an empty cluster with a token in the remote would. */
async function install(shell: 'dash' | 'busybox', bundle: string, { minor }: { readonly minor: string }, options: readonly string[] = []) {
  const home = mkdtempSync(join(folder, 'home-'));
  const kubectl = join(home, 'kubectl');
  const lines = [
    '#!/bin/sh',
    `case "$*" in "create secret generic --help") echo "--dry-run='none': ..."; exit 0 ;; esac`,
    `echo "$*" >>"${home}/calls"`,
    'case "$*" in',
    `  *"get --raw /version"*) echo '{"major": "1", "minor": "${minor}"}' ;;`,
    `  *"index .data"*) printf 'apiVersion: v1\\ntoken: ${token}\\n' ;;`,
    '  *"go-template={{if .data.token}}"*) echo yes ;;',
    '  *"get namespace kube-system"*) echo uid ;;',
    '  *"get namespace istio-system --ignore-not-found -o name"*) echo namespace/istio-system ;;',
    `  *" apply "*" -f -"*) cat >>"${home}/inputs" ;;`,
    '  *" -f -"* | *"/dev/stdin"*) cat ;;',
    'esac',
  ];
  writeFileSync(kubectl, `${lines.join('\n')}\n`, { mode: 0o755 });
  const interpreter = shell === 'dash' ? [toolPath('dash')] : [toolPath('busybox'), 'sh'];
  const [program = '', ...args] = [...interpreter, join(bundle, 'install.sh'), 'cluster1', '--context', 'one', 'cluster2=two'];
  const result = await run(program, [...args, '--timeout', '0', ...options], { PATH: '/usr/bin:/bin', ISTHMUS_KUBECTL: kubectl });
  return { ...result, calls: readIfThere(join(home, 'calls')), inputs: readIfThere(join(home, 'inputs')) };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function run(program: string, args: readonly string[], env: Record<string, string>): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { env, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr }),
    );
  });
}
