// The table of commands as data: help, completion and docs/cli.md are made from it.
import type { ArgumentSpec, CommandSpec, OptionSpec } from './types.ts';

const file: OptionSpec = { flags: '-f, --file <path>', summary: 'mesh file, - for standard input', default: 'mesh.yaml' };
const format: OptionSpec = {
  flags: '-o, --output <format>',
  summary: 'form of the result',
  default: 'text',
  choices: ['text', 'json', 'yaml'],
};
const timeout: OptionSpec = { flags: '--timeout <duration>', summary: 'longest wait for one step, such as 90s or 10m', default: '10m' };
const kubeconfig: OptionSpec = {
  flags: '--kubeconfig <path>',
  summary: 'kubeconfig of the contexts; KUBECONFIG or ~/.kube/config when absent',
};
const forceConflicts: OptionSpec = { flags: '--force-conflicts', summary: 'take over fields that others manage, as helm and kubectl do' };
const dryRun: OptionSpec = { flags: '--dry-run', summary: 'print what would be done, change nothing' };
const generated: ArgumentSpec = { name: '[out]', summary: 'folder written by isthmus generate', default: 'out' };

/** All commands in the order of their use. */
export const commands: readonly CommandSpec[] = [
  {
    name: 'demo',
    summary: 'plan and generate the mesh of the two recorded clusters of 2018, no cluster needed; or run BookInfo across a joined mesh',
    details:
      'bookinfo puts everything but reviews-v3 into the primary and reviews-v3 into the remote, sends all requests to v1, then to v3, then half to each, and prints who answered.',
    arguments: [
      { name: '[what]', summary: 'what to show', choices: ['recorded', 'bookinfo'], default: 'recorded' },
      { name: '[generated]', summary: 'bookinfo: folder of the installed mesh, written by isthmus generate', default: 'out' },
    ],
    options: [
      { flags: '--istio <version>', summary: 'recorded: Istio of the mesh', default: '0.8.0' },
      { flags: '--out <folder>', summary: 'recorded: where to write', default: 'isthmus-demo' },
      { flags: '--hub <path>', summary: 'bookinfo: registry and path of its images; where Istio publishes them when absent' },
      { flags: '--namespace <name>', summary: 'bookinfo: where it runs', default: 'bookinfo' },
      { flags: '--remove', summary: 'bookinfo: take it out of both clusters again' },
      timeout,
      format,
    ],
    examples: [
      'isthmus demo',
      'isthmus demo --istio 1.30.3 --out demo-modern',
      'isthmus demo bookinfo out',
      'isthmus demo bookinfo out --remove',
    ],
  },
  {
    name: 'init',
    summary: 'read clusters and print a commented mesh.yaml for them; the first context is the primary',
    options: [
      { flags: '--context <name>', summary: 'context of a cluster; once per cluster', repeatable: true },
      kubeconfig,
      { flags: '--name <name>', summary: 'name of the mesh', default: 'mesh' },
      { flags: '--istio <version>', summary: "Istio of the mesh; the primary's own when it runs one" },
    ],
    examples: ['isthmus init --context icp-1 --context icp-2 > mesh.yaml'],
  },
  {
    name: 'inspect',
    summary: 'show what each cluster is, or save it as facts files that work without the cluster',
    options: [file, { flags: '--out <folder>', summary: 'write <cluster>.yaml here' }, format],
    examples: ['isthmus inspect', 'isthmus inspect --out facts', 'isthmus inspect -o json'],
  },
  {
    name: 'plan',
    summary: 'show routes, load balancers, endpoints, values and findings; exit code 3 on an error finding',
    options: [file, format],
    examples: ['isthmus plan', 'isthmus plan -f mesh.yaml -o json'],
  },
  {
    name: 'generate',
    summary: 'write one self-contained chart per cluster and release',
    details: 'Files that someone edited, or that isthmus did not write, are never overwritten.',
    options: [
      file,
      { flags: '--out <folder>', summary: 'where to write', default: 'out' },
      { flags: '--templates <folder>', summary: "templates to use instead of isthmus's own, by the same names" },
      { flags: '--overwrite', summary: 'replace generated files that were edited' },
    ],
    examples: ['isthmus generate', 'isthmus generate -f mesh.yaml --out out'],
  },
  {
    name: 'ca',
    summary: 'make the root of trust that the primaries share, and one intermediate for each of them',
    details:
      'init writes root-cert.pem, root-key.pem and a folder per primary with the files of the Secret cacerts. Running it again adds what new primaries need; what is there stays as it is. `istio.ca` in mesh.yaml names the folder, and install puts the Secrets in place.',
    arguments: [
      { name: '<action>', summary: 'what to do', choices: ['init'] },
      { name: '[mesh]', summary: 'mesh file, - for standard input', default: 'mesh.yaml' },
    ],
    options: [{ flags: '--out <folder>', summary: 'where to write; never inside generated files', default: 'ca' }, format],
    examples: ['isthmus ca init', 'isthmus ca init mesh.yaml --out ../keys/bookinfo'],
  },
  {
    name: 'install',
    summary: 'install generated charts in every cluster, in order; running it again converges',
    arguments: [generated],
    options: [dryRun, timeout, { flags: '--unlock', summary: 'take over from an installation that died' }, forceConflicts, format],
    examples: ['isthmus install', 'isthmus install out --dry-run'],
  },
  {
    name: 'publish',
    summary: 'publish every generated chart and the generic ones, to an OCI registry or as a static chart repository',
    details:
      'Packages are the same bytes wherever they are made. A version that is there with the same contents is left alone, with other contents it is refused. Credentials are those of helm registry login. Clusters then need helm alone.',
    arguments: [generated],
    options: [
      { flags: '--to <target>', summary: 'oci://registry/path, or the folder of a static repository' },
      { flags: '--url <url>', summary: 'static repository: where the folder is served; URLs are relative when absent' },
      {
        flags: '--sign [tool]',
        summary:
          "gpg makes helm's provenance files, cosign signs in the registry; cosign for a registry and gpg for a folder when not named",
        choices: ['gpg', 'cosign'],
      },
      { flags: '--sign-key <key>', summary: 'user ID or fingerprint for gpg, what --key takes for cosign' },
      { flags: '--plain-http', summary: 'registry without TLS, for tests' },
      format,
    ],
    examples: [
      'isthmus publish --to oci://registry.corp/mesh',
      'isthmus publish out --to ./repo --url https://charts.corp',
      'isthmus publish --to oci://registry.corp/mesh --sign',
    ],
  },
  {
    name: 'bundle',
    summary: 'pack generated charts, manifests and the list of images into one archive, for clusters that nothing reaches',
    details:
      'The same input gives the same bytes; SOURCE_DATE_EPOCH sets the time of its files. helm renders the manifests, no cluster is asked.',
    arguments: [generated],
    options: [
      { flags: '--out <file>', summary: 'archive to write; <mesh>.isthmus.tgz when absent' },
      {
        flags: '--images <how>',
        summary: 'list names them, oci puts them in through skopeo or crane',
        default: 'list',
        choices: ['list', 'oci'],
      },
      { flags: '--sign <key>', summary: 'SSH key that signs bundle.yaml, or its public half when the key is in the agent' },
      format,
    ],
    examples: ['isthmus bundle', 'isthmus bundle out --out mesh.isthmus.tgz --images oci --sign ~/.ssh/id_ed25519'],
  },
  {
    name: 'bundle verify',
    summary: 'account for every byte of a bundle; exit code 3 when something is wrong',
    arguments: [{ name: '<bundle>', summary: 'archive written by isthmus bundle' }],
    options: [{ flags: '--allowed-signers <file>', summary: 'who may have signed it, in the form of ssh-keygen' }, format],
    examples: ['isthmus bundle verify mesh.isthmus.tgz', 'isthmus bundle verify mesh.isthmus.tgz --allowed-signers signers'],
  },
  {
    name: 'bundle inspect',
    summary: 'show clusters, releases, images and sizes of a bundle',
    arguments: [{ name: '<bundle>', summary: 'archive written by isthmus bundle' }],
    options: [format],
    examples: ['isthmus bundle inspect mesh.isthmus.tgz', 'isthmus bundle inspect mesh.isthmus.tgz -o json'],
  },
  {
    name: 'bundle install',
    summary: 'install a mesh from a bundle alone, through helm; running it again converges',
    details: 'The bundle is checked before anything of it is used. Its images are taken from where they were, or from a mirror.',
    arguments: [{ name: '<bundle>', summary: 'archive written by isthmus bundle' }],
    options: [
      { flags: '--registry <mirror>', summary: 'registry and path that the images were copied to; tags and digests stay' },
      {
        flags: '--ca <folder>',
        summary: 'folder of isthmus ca init, for a mesh with istio.ca; without it the Secrets cacerts must be there',
      },
      { flags: '--pull-secret <name>', summary: 'pull secret for the pods of isthmus; once per secret', repeatable: true },
      {
        flags: '--context <cluster=context>',
        summary: 'context of a cluster, instead of that of mesh.yaml; once per cluster',
        repeatable: true,
      },
      kubeconfig,
      { flags: '--allowed-signers <file>', summary: 'who may have signed it, in the form of ssh-keygen' },
      timeout,
      { flags: '--unlock', summary: 'take over from an installation that died' },
      forceConflicts,
      format,
    ],
    examples: ['isthmus bundle install mesh.isthmus.tgz', 'isthmus bundle install mesh.isthmus.tgz --registry mirror.corp/istio'],
  },
  {
    name: 'verify',
    summary: 'check routes on every node, then ping and TCP between pods of all pairs of nodes; exit code 3 when a pair fails',
    details:
      'Pods for it run beside the routes, without privileges, and are removed at the end. Above 50 nodes a cluster, 50 of them are tried.',
    arguments: [generated],
    options: [
      { flags: '--timeout <duration>', summary: 'longest wait for the pods, such as 90s or 10m', default: '2m' },
      { flags: '--image <image>', summary: 'image with a shell, iproute2, ping and nc; that of the routes when absent' },
      format,
    ],
    examples: ['isthmus verify', 'isthmus verify out -o json'],
  },
  {
    name: 'uninstall',
    summary: 'remove what was installed, in reverse order, and prove that nothing is left',
    arguments: [generated],
    options: [timeout, { flags: '--unlock', summary: 'take over from an installation that died' }, format],
    examples: ['isthmus uninstall', 'isthmus uninstall out --timeout 5m'],
  },
  {
    name: 'secrets',
    summary: 'rotate the tokens by which primaries read the other clusters, without losing sight of them',
    details:
      'rotate makes a new token, gives it to every primary, waits until each istiod reads the cluster with it, and then revokes the old one. It may be stopped at any point; run again, it goes on. Both tokens are valid until then.',
    arguments: [{ name: '<action>', summary: 'what to do', choices: ['rotate'] }, generated],
    options: [
      { flags: '--cluster <name>', summary: 'only the token of this cluster', repeatable: true },
      { flags: '--accept-loss', summary: 'rotate although istiod is older than 1.30.4 and loses endpoints of the cluster meanwhile' },
      timeout,
      format,
    ],
    examples: ['isthmus secrets rotate', 'isthmus secrets rotate out --cluster cluster2'],
  },
  {
    name: 'explain',
    summary: 'explain a finding: what it means, why it matters, what to do',
    arguments: [{ name: '[code]', summary: 'code of a finding; all of them when absent' }],
    options: [format],
    examples: ['isthmus explain ISM012', 'isthmus explain -o json'],
  },
  {
    name: 'completion',
    summary: 'print a completion script for a shell',
    arguments: [{ name: '<shell>', summary: 'the shell', choices: ['bash', 'zsh', 'fish'] }],
    options: [],
    examples: ['source <(isthmus completion bash)', 'isthmus completion fish > ~/.config/fish/completions/isthmus.fish'],
  },
  {
    name: 'version',
    summary: 'print the version',
    options: [format],
    examples: ['isthmus version', 'isthmus version -o json'],
  },
];
