// The programs that the lab and the tests run, pinned here and built once into a cache outside the checkout.
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { toolFolder } from '../helpers/tools.ts';

const run = promisify(execFile);
const kubernetes = '1.34.4';

/** Istio's tagged releases are no Go module versions, so this names a commit of its main branch. */
export const istioModuleVersion = 'v0.0.0-20260827124520-eed52ebb66ad';

interface Tool {
  readonly name: string;
  /** Module and version that must be in the program's build information; anything else is built again. */
  readonly module: string;
  readonly version: string;
  /** Package that `go install` builds; absent for the program in test/lab/go. */
  readonly package?: string;
}

/** Every pin of the lab. Kubernetes is one program for all of its components; its modules are pinned in test/lab/go/go.mod. */
export const tools: readonly Tool[] = [
  { name: 'helm3', module: 'helm.sh/helm/v3', version: 'v3.22.0', package: 'helm.sh/helm/v3/cmd/helm' },
  { name: 'helm4', module: 'helm.sh/helm/v4', version: 'v4.3.1', package: 'helm.sh/helm/v4/cmd/helm' },
  { name: 'kwok', module: 'sigs.k8s.io/kwok', version: 'v0.8.0', package: 'sigs.k8s.io/kwok/cmd/kwok' },
  { name: 'kube', module: 'k8s.io/kubernetes', version: `v${kubernetes}` },
  { name: 'coredns', module: 'github.com/coredns/coredns', version: 'v1.12.4', package: 'github.com/coredns/coredns' },
  {
    name: 'registry',
    module: 'github.com/distribution/distribution/v3',
    version: 'v3.1.2',
    package: 'github.com/distribution/distribution/v3/cmd/registry',
  },
  {
    name: 'crane',
    module: 'github.com/google/go-containerregistry',
    version: 'v0.22.1',
    package: 'github.com/google/go-containerregistry/cmd/crane',
  },
  istio('istioctl', 'istioctl'),
  istio('pilot-discovery', 'pilot'),
  istio('pilot-agent', 'pilot'),
];

function istio(name: string, folder: string): Tool {
  return { name, module: 'istio.io/istio', version: istioModuleVersion, package: `istio.io/istio/${folder}/cmd/${name}` };
}

/** Debian packages and the program that shows each is there. */
const packages: Readonly<Record<string, string>> = {
  'etcd-server': 'etcd',
  iproute2: 'ip',
  'busybox-static': 'busybox',
  dash: 'dash',
  shellcheck: 'shellcheck',
  openssl: 'openssl',
  'kubernetes-client': 'kubectl',
  time: 'time',
  'util-linux': 'setpriv',
  bird2: 'bird',
  containerd: 'containerd',
  runc: 'runc',
  'containernetworking-plugins': '/usr/lib/cni/ptp',
  iptables: 'iptables',
  conntrack: 'conntrack',
  socat: 'socat',
  mawk: 'mawk',
  'iputils-ping': 'ping',
  'netcat-openbsd': 'nc.openbsd',
  curl: 'curl',
  debootstrap: 'debootstrap',
  keepalived: 'keepalived',
  'python3-pip': 'pip3',
  unzip: 'unzip',
  gnupg: 'gpg',
};

/**
 * Makes sure that every tool is there in its pinned version.
 * @param say is told, in one line each, what is built and how long it took
 */
export async function buildToolchain(say: (line: string) => void): Promise<void> {
  installPackages(say);
  const bin = toolFolder();
  mkdirSync(bin, { recursive: true });
  for (const tool of tools) {
    if (await isBuilt(join(bin, tool.name), tool)) continue;
    say(`building ${tool.name} ${tool.version}, which takes minutes the first time`);
    const start = performance.now();
    await build(tool, bin);
    say(`built ${tool.name} in ${Math.round((performance.now() - start) / 1000)} s`);
  }
  say(`all tools are in ${bin}`);
}

/** Istio's own charts, in the module that istioctl is built from. */
export async function istioCharts(): Promise<string> {
  return join(await moduleFolder('istio.io/istio', istioModuleVersion), 'manifests', 'charts');
}

/** Istio's own samples, from the same place. */
export async function istioSamples(): Promise<string> {
  return join(await moduleFolder('istio.io/istio', istioModuleVersion), 'samples');
}

/** Definitions of the kinds of the Gateway API that are in its standard channel, one file each. */
export async function gatewayDefinitions(version: string): Promise<string> {
  return join(await moduleFolder('sigs.k8s.io/gateway-api', version), 'config', 'crd', 'standard');
}

async function moduleFolder(module: string, version: string): Promise<string> {
  const { stdout } = await run('go', ['mod', 'download', '-json', `${module}@${version}`], { maxBuffer: 64 << 20 });
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

/** A Go program carries the versions it was built from, so no record beside it can go stale. */
async function isBuilt(path: string, tool: Tool): Promise<boolean> {
  if (!existsSync(path)) return false;
  const { stdout } = await run('go', ['version', '-m', path]);
  return stdout.split('\n').some((line) => {
    const [, kind, module, version] = line.split('\t');
    return (kind === 'mod' || kind === 'dep') && module === tool.module && version === tool.version;
  });
}

async function build(tool: Tool, bin: string): Promise<void> {
  const work = mkdtempSync(join(bin, '.build-'));
  try {
    const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOBIN: work };
    if (tool.package === undefined) await run('go', kubernetesBuild(join(work, tool.name)), { env, cwd: join(import.meta.dirname, 'go') });
    else await run('go', ['install', `${tool.package}@${tool.version}`], { env });
    const made = tool.package === undefined ? tool.name : (tool.package.split('/').at(-1) ?? tool.name);
    renameSync(join(work, made), join(bin, tool.name));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function kubernetesBuild(output: string): string[] {
  const [major, minor] = kubernetes.split('.');
  const version = 'k8s.io/component-base/version';
  const stamp = `-X ${version}.gitVersion=v${kubernetes} -X ${version}.gitMajor=${major} -X ${version}.gitMinor=${minor}`;
  return ['build', '-trimpath', '-ldflags', `-s -w ${stamp}`, '-o', output, '.'];
}

function installPackages(say: (line: string) => void): void {
  const missing = Object.entries(packages).flatMap(([name, program]) => (onPath(program) ? [] : [name]));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) throw new Error(`missing Debian packages; as root: apt-get install ${missing.join(' ')}`);
  say(`installing Debian packages ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...missing],
  ]) {
    const { status, stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
    if (status !== 0) throw new Error(`apt-get ${args[0]} failed: ${stderr.trim()}`);
  }
}

function onPath(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return isAbsolute(program) ? existsSync(program) : folders.some((folder) => existsSync(join(folder, program)));
}
