// Finds the programs that tests run. A missing one is an error that says how to get it; no test is ever skipped for it.
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

interface Tool {
  /** Environment variable with its path, which wins over everything. */
  readonly variable: string;
  /** How to get it, given the folder it belongs into. */
  readonly get: (folder: string) => string;
}

const istio = 'v0.0.0-20260827124520-eed52ebb66ad';

const tools = {
  helm3: { variable: 'ISTHMUS_HELM3', get: (folder) => renamed(folder, 'helm', 'helm3', 'helm.sh/helm/v3/cmd/helm@v3.22.0') },
  helm4: { variable: 'ISTHMUS_HELM4', get: (folder) => renamed(folder, 'helm', 'helm4', 'helm.sh/helm/v4/cmd/helm@v4.3.1') },
  istioctl: {
    variable: 'ISTHMUS_ISTIOCTL',
    get: (folder) => `GOBIN=${folder} go install istio.io/istio/istioctl/cmd/istioctl@${istio}`,
  },
  'pilot-discovery': {
    variable: 'ISTHMUS_PILOT_DISCOVERY',
    get: (folder) => `GOBIN=${folder} go install istio.io/istio/pilot/cmd/pilot-discovery@${istio}`,
  },
  'pilot-agent': {
    variable: 'ISTHMUS_PILOT_AGENT',
    get: (folder) => `GOBIN=${folder} go install istio.io/istio/pilot/cmd/pilot-agent@${istio}`,
  },
  keepalived: { variable: 'ISTHMUS_KEEPALIVED', get: () => 'apt-get install keepalived' },
  kwok: { variable: 'ISTHMUS_KWOK', get: (folder) => `GOBIN=${folder} go install sigs.k8s.io/kwok/cmd/kwok@v0.8.0` },
  kube: { variable: 'ISTHMUS_KUBE', get: (folder) => `go build -C test/lab/go -trimpath -o ${folder}/kube .` },
  coredns: { variable: 'ISTHMUS_COREDNS', get: (folder) => `GOBIN=${folder} go install github.com/coredns/coredns@v1.12.4` },
  registry: {
    variable: 'ISTHMUS_REGISTRY',
    get: (folder) => `GOBIN=${folder} go install github.com/distribution/distribution/v3/cmd/registry@v3.1.2`,
  },
  gpg: { variable: 'ISTHMUS_GPG', get: () => 'apt-get install gnupg' },
  crane: {
    variable: 'ISTHMUS_CRANE',
    get: (folder) => `GOBIN=${folder} go install github.com/google/go-containerregistry/cmd/crane@v0.22.1`,
  },
  etcd: { variable: 'ISTHMUS_ETCD', get: () => 'apt-get install etcd-server' },
  kubectl: { variable: 'ISTHMUS_KUBECTL', get: () => 'apt-get install kubernetes-client' },
  ip: { variable: 'ISTHMUS_IP', get: () => 'apt-get install iproute2' },
  dash: { variable: 'ISTHMUS_DASH', get: () => 'apt-get install dash' },
  mawk: { variable: 'ISTHMUS_MAWK', get: () => 'apt-get install mawk' },
  ping: { variable: 'ISTHMUS_PING', get: () => 'apt-get install iputils-ping' },
  curl: { variable: 'ISTHMUS_CURL', get: () => 'apt-get install curl' },
  busybox: { variable: 'ISTHMUS_BUSYBOX', get: () => 'apt-get install busybox-static' },
  'nc.openbsd': { variable: 'ISTHMUS_NC', get: () => 'apt-get install netcat-openbsd' },
  openssl: { variable: 'ISTHMUS_OPENSSL', get: () => 'apt-get install openssl' },
  'ssh-keygen': { variable: 'ISTHMUS_SSH_KEYGEN', get: () => 'apt-get install openssh-client' },
  shellcheck: { variable: 'ISTHMUS_SHELLCHECK', get: () => 'apt-get install shellcheck' },
} as const satisfies Readonly<Record<string, Tool>>;

export type ToolName = keyof typeof tools;

/** Where built programs are kept between runs: `$ISTHMUS_CACHE/bin`, else `~/.cache/isthmus/bin`. */
export function toolFolder(): string {
  return join(process.env['ISTHMUS_CACHE'] ?? join(homedir(), '.cache', 'isthmus'), 'bin');
}

/**
 * The path of a program: its environment variable, else the tool folder, else PATH.
 * @throws Error with the command that gets it
 */
export function toolPath(name: ToolName): string {
  const { variable, get } = tools[name];
  const named = process.env[variable];
  if (named !== undefined && named !== '') return requireExecutable(named, `${variable} names ${named}, which is no program`);
  const folders = [toolFolder(), ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const found = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (found === undefined) throw new Error(`this test needs ${name}; get it with\n  ${get(toolFolder())}\nor name it in ${variable}`);
  return found;
}

function renamed(folder: string, from: string, to: string, module: string): string {
  return `GOBIN=${folder} go install ${module} && mv ${folder}/${from} ${folder}/${to}`;
}

function requireExecutable(file: string, message: string): string {
  if (!isExecutable(file)) throw new Error(message);
  return file;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
