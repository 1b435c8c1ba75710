// install.sh of out/ under a helm that only writes down how it was called; real clusters are for the end-to-end tests.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeshPlan } from '../../src/plan/types.ts';
import { renderMesh } from '../../src/render/mesh.ts';
import { classicPlan, loadedFor, modernPlan } from '../helpers/plans.ts';
import { renderInput, writeArtifacts } from '../helpers/render.ts';
import { assert, describe } from '../helpers/suite.ts';
import { toolPath } from '../helpers/tools.ts';

const folder = mkdtempSync(join(tmpdir(), 'isthmus-install-'));
const token = 'the-token-of-cluster2';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Arguments of each call of helm, folder names shortened; calls for --help are left out. */
  readonly calls: readonly string[];
  /** What helm read from standard input, all calls together. */
  readonly inputs: string;
}

interface Situation {
  readonly major?: 3 | 4;
  /** Extended regular expression; calls that match it fail. */
  readonly failing?: string;
  /** Releases that `helm list` finds, `cluster/release`. */
  readonly installed?: boolean;
  /** False while the remote has no token. */
  readonly token?: boolean;
  readonly shell?: 'dash' | 'busybox';
  /** How mesh.yaml says that every cluster is reached, instead of a context each. */
  readonly access?: { readonly kubeconfig?: string };
}

const helps = {
  3: '--dry-run string --take-ownership --wait',
  4: "--dry-run string --take-ownership --force-conflicts --wait 'watcher', 'hookOnly', 'legacy'",
} as const;

/** A helm that records arguments and input, and answers as the situation wants it. */
function fakeHelm(home: string, { major = 3, failing = '^never$', installed = true, token: filled = true }: Situation): string {
  const file = join(home, 'helm');
  const lines = [
    '#!/bin/sh',
    `case "$*" in "upgrade --help") echo "${helps[major]}"; exit 0 ;; esac`,
    `echo "$*" >>"${home}/calls"`,
    `case "$*" in *"--values -"*) cat >>"${home}/inputs" ;; esac`,
    `if echo "$*" | grep -qE -e '${failing}'; then echo "Error: told to fail" >&2; exit 1; fi`,
    `case "$1" in`,
    `  list) ${installed ? 'echo found' : ':'} ;;`,
    `  get) echo "kind: Secret" ;;`,
    `  template) ${filled ? `printf 'kind: Secret\\ndata: ${token}\\n'` : ':'} ;;`,
    `esac`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o755 });
  return file;
}

function install(plan: MeshPlan, args: readonly string[], situation: Situation = {}): Promise<Outcome> {
  const home = mkdtempSync(join(folder, 'run-'));
  writeArtifacts(join(home, 'out'), renderMesh(renderInput(plan, { loaded: loadedWith(plan, situation.access) })));
  const shell = situation.shell ?? 'dash';
  const program = [toolPath(shell), ...(shell === 'busybox' ? ['sh'] : []), join(home, 'out/install.sh'), ...args];
  const sleep = join(home, 'sleep');
  writeFileSync(sleep, '#!/bin/sh\n', { mode: 0o755 });
  const env = { PATH: `${home}:/usr/bin:/bin`, ISTHMUS_HELM: fakeHelm(home, situation) };
  return new Promise((resolve) => {
    execFile(program[0] ?? '', program.slice(1), { env, timeout: 15_000 }, (error, stdout, stderr) => {
      const calls = readOr(join(home, 'calls'))
        .replaceAll(join(home, 'out'), 'out')
        .split('\n')
        .filter((line) => line !== '');
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr, calls, inputs: readOr(join(home, 'inputs')) });
    });
  });
}

function loadedWith(plan: MeshPlan, access: Situation['access']): ReturnType<typeof loadedFor> {
  const loaded = loadedFor(plan);
  if (access === undefined) return loaded;
  const clusters = loaded.mesh.clusters.map(({ context: _, ...cluster }) => ({ ...cluster, ...access }));
  return { ...loaded, mesh: { ...loaded.mesh, clusters } };
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function verbs(calls: readonly string[]): string[] {
  return calls.map((call) => call.replace(/ out\/\S+| --namespace \S+| --timeout \S+| --values -.*| --short .*/g, ''));
}

/** The two helms of a pipe start in either order; the one that writes is put last. */
function pipesInOrder(calls: readonly string[]): string[] {
  const writer = calls.findLastIndex((call) => call.startsWith('template remote-token'));
  const others = calls.filter((_, index) => index !== writer);
  const reader = others.findIndex((call) => call.includes('remote-secret'));
  return others.toSpliced(reader + 1, 0, calls[writer] ?? '');
}

describe('install.sh', ({ test }) => {
  test('passes shellcheck for every kind of mesh', async () => {
    for (const plan of [classicPlan(), modernPlan(), modernPlan([])]) {
      const home = mkdtempSync(join(folder, 'check-'));
      writeArtifacts(home, renderMesh(renderInput(plan)));

      const output = await new Promise((resolve) =>
        execFile(toolPath('shellcheck'), ['--shell=sh', join(home, 'install.sh')], (_, stdout) => resolve(stdout)),
      );

      assert.is(output, '');
    }
  });

  for (const shell of ['dash', 'busybox'] as const) {
    test(`installs in order under ${shell}, after it has looked at every cluster`, async () => {
      const { code, calls, stdout, stderr } = await install(modernPlan(), [], { shell });

      assert.is(stderr, '');
      assert.is(code, 0);
      assert.match(stdout, 'Mesh bookinfo is installed.');
      assert.equal(pipesInOrder(verbs(calls)), [
        'template isthmus-namespaces --dry-run=server --kube-context icp-1',
        'template isthmus-namespaces --dry-run=server --kube-context icp-2',
        'upgrade --install isthmus-namespaces --take-ownership --kube-context icp-1',
        'upgrade --install isthmus-namespaces --take-ownership --kube-context icp-2',
        'upgrade --install istio-ilb --kube-context icp-1',
        'upgrade --install route-installer --wait --wait-for-jobs --kube-context icp-1',
        'upgrade --install route-installer --wait --wait-for-jobs --kube-context icp-2',
        'upgrade --install istio-remote --wait --wait-for-jobs --kube-context icp-2',
        'template remote-token --dry-run=server',
        'upgrade --install remote-secret-cluster2 --reset-values',
        'template remote-token --dry-run=server',
        'get manifest remote-secret-cluster2 --kube-context icp-1',
      ]);
    });
  }

  test('asks helm 4 to wait as helm 3 does', async () => {
    const { calls } = await install(modernPlan(), [], { major: 4 });

    assert.ok(calls.some((call) => call.includes('route-installer') && call.includes('--wait=legacy --wait-for-jobs')));
    assert.ok(calls.some((call) => call.includes('remote-secret-cluster2') && call.includes('--server-side=true --force-conflicts')));
  });

  test('hands the token on through a pipe and shows it nowhere', async () => {
    const { inputs, calls, stdout, stderr } = await install(modernPlan(), []);

    assert.match(inputs, token);
    assert.not.match([...calls, stdout, stderr].join('\n'), token);
  });

  test('takes contexts, a kubeconfig and an API server from its arguments', async () => {
    const args = [
      'cluster2=my context',
      '--kubeconfig',
      '/tmp/k c',
      '--server',
      'cluster2=https://api.example.com:6443',
      '--timeout',
      '3m',
    ];

    const { code, calls, inputs } = await install(modernPlan(), args);

    assert.is(code, 0);
    assert.ok(calls.some((call) => call.endsWith('--kube-context my context --kubeconfig /tmp/k c')));
    assert.ok(calls.some((call) => call.includes('istio-remote') && call.includes('--timeout 3m')));
    assert.match(inputs, 'server: "https://api.example.com:6443"');
  });

  test('looks for a kubeconfig of mesh.yaml from its own folder', async () => {
    const { code, calls } = await install(modernPlan(), [], { access: { kubeconfig: '../kube config' } });

    assert.is(code, 0);
    assert.ok(calls.every((call) => !call.includes('--kube-context')));
    assert.ok(calls.some((call) => call.endsWith(' --kubeconfig out/../kube config')));
  });

  test('asks for the context of a cluster that it cannot know', async () => {
    const { code, calls, stderr } = await install(modernPlan(), ['--kubeconfig', 'k', 'cluster1=a'], { access: {} });

    assert.is(code, 1);
    assert.match(stderr, 'which context is cluster2? Say ./install.sh cluster2=CONTEXT');
    assert.not.ok(calls.some((call) => call.startsWith('upgrade')));
  });

  test('survives a context of any characters in mesh.yaml', async () => {
    const context = `it's "$(touch pwned)" \`x\`\n;END\nEND\n`;
    const plan = modernPlan();
    const loaded = loadedFor(plan);
    const mesh = { ...loaded.mesh, clusters: loaded.mesh.clusters.map((cluster) => ({ ...cluster, context })) };
    const home = mkdtempSync(join(folder, 'context-'));
    writeArtifacts(home, renderMesh(renderInput(plan, { loaded: { ...loaded, mesh } })));
    const env = { PATH: '/usr/bin:/bin' };

    const output = await new Promise<string>((resolve) =>
      execFile(toolPath('dash'), [join(home, 'install.sh'), '--help'], { env, cwd: home }, (_, stdout) => resolve(stdout)),
    );

    assert.ok(output.includes(`cluster1=${context} cluster2=${context}`));
    assert.is(readOr(join(home, 'pwned')), '');
  });

  test('refuses arguments it does not know, before any call of helm', async () => {
    const wrong = [
      ['cluster3=x'],
      ['remove'],
      ['--server', 'cluster2=http://x'],
      ['--server', 'cluster3=https://x'],
      ['--server', 'cluster2=https://a"b'],
      ['--timeout'],
    ];

    for (const args of wrong) {
      const { code, calls, stderr } = await install(modernPlan(), args);
      assert.is(code, 1, args.join(' '));
      assert.match(stderr, /^Error: /);
      assert.equal(calls, []);
    }
  });

  test('changes nothing when one cluster cannot be used', async () => {
    const { code, calls, stderr } = await install(modernPlan(), [], { failing: 'dry-run=server.*icp-2' });

    assert.is(code, 1);
    assert.match(stderr, 'cluster2: the cluster cannot be used; nothing was changed');
    assert.not.ok(calls.some((call) => call.startsWith('upgrade')));
  });

  test('stops at the first release that fails and says which', async () => {
    const { code, calls, stderr } = await install(modernPlan(), [], { failing: '--install route-installer.*icp-2' });

    assert.is(code, 1);
    assert.match(stderr, 'told to fail');
    assert.match(stderr, 'cluster2: route-installer was not installed');
    assert.not.ok(calls.some((call) => call.includes('istio-remote')));
  });

  test('says that there is no token, and writes no secret without one', async () => {
    const { code, calls, stderr } = await install(modernPlan(), [], { token: false });

    assert.is(code, 1);
    assert.match(stderr, 'cluster2: there is no token yet');
    assert.not.ok(calls.some((call) => call.includes('remote-secret-')));
  });

  test('installs what is ready and names what waits', async () => {
    const { code, calls, stdout, stderr } = await install(modernPlan([]), []);

    assert.is(code, 1);
    assert.match(stdout, 'cluster2: istio-remote waits for address of istiod-ilb in cluster1');
    assert.match(stderr, 'isthmus install');
    assert.ok(calls.some((call) => call.includes('istio-ilb')));
    assert.not.ok(calls.some((call) => call.includes('istio-remote ')));
  });

  test('says what is wrong with a helm that is too old or none', async () => {
    const home = mkdtempSync(join(folder, 'old-'));
    writeArtifacts(home, renderMesh(renderInput(modernPlan())));
    const old = join(home, 'old-helm');
    writeFileSync(old, '#!/bin/sh\necho "--dry-run  simulate an upgrade"\n', { mode: 0o755 });
    const run = (helm: string) =>
      new Promise<string>((resolve) =>
        execFile(toolPath('dash'), [join(home, 'install.sh')], { env: { PATH: '/usr/bin:/bin', ISTHMUS_HELM: helm } }, (_, __, stderr) =>
          resolve(stderr),
        ),
      );

    assert.match(await run(old), 'too old; helm 3.14 or later is needed');
    assert.match(await run(join(home, 'no-helm')), 'no helm found');
  });
});

describe('install.sh uninstall', ({ test, after }) => {
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('removes in reverse order, routes from the nodes first', async () => {
    const { code, calls } = await install(modernPlan(), ['uninstall']);

    const changes = verbs(calls).filter((call) => /^(?:upgrade|uninstall) /.test(call));

    assert.is(code, 0);
    assert.equal(changes, [
      'uninstall remote-secret-cluster2 --wait --kube-context icp-1',
      'uninstall istio-remote --wait --kube-context icp-2',
      'upgrade route-installer --set mode=remove --wait --wait-for-jobs --kube-context icp-2',
      'uninstall route-installer --wait --kube-context icp-2',
      'upgrade route-installer --set mode=remove --wait --wait-for-jobs --kube-context icp-1',
      'uninstall route-installer --wait --kube-context icp-1',
      'upgrade istio-ilb --set keep=false --kube-context icp-1',
      'uninstall istio-ilb --wait --kube-context icp-1',
      'upgrade isthmus-namespaces --set mode=remove --kube-context icp-1',
      'uninstall isthmus-namespaces --kube-context icp-1',
      'upgrade isthmus-namespaces --set mode=remove --kube-context icp-2',
      'uninstall isthmus-namespaces --kube-context icp-2',
    ]);
  });

  test('keeps a release whose routes could not be taken from the nodes', async () => {
    const { code, calls, stderr } = await install(modernPlan(), ['uninstall'], { failing: 'mode=remove.*icp-2' });

    assert.is(code, 1);
    assert.match(stderr, 'route-installer could not be prepared for removal (mode=remove); it is still installed');
    assert.not.ok(calls.some((call) => call.startsWith('uninstall route-installer')));
  });

  test('has nothing to do where nothing is installed', async () => {
    const { code, calls } = await install(modernPlan(), ['uninstall'], { installed: false });

    assert.is(code, 0);
    assert.not.ok(calls.some((call) => /^(?:upgrade|uninstall) /.test(call)));
  });

  test('does not take a cluster that does not answer for an empty one', async () => {
    const { code, stderr } = await install(modernPlan(), ['uninstall'], { failing: '^list' });

    assert.is(code, 1);
    assert.match(stderr, 'cannot list releases');
  });

  test('removes what waits now but was installed before', async () => {
    const { calls } = await install(modernPlan([]), ['uninstall']);

    assert.ok(calls.some((call) => call.startsWith('uninstall istio-remote ')));
    assert.ok(calls.some((call) => call.startsWith('uninstall remote-secret-cluster2 ')));
  });
});
