// README.md of a generated chart: what it is, the command that installs it, and what comes before and after it. It speaks of its own
// release alone: were there a word about another cluster, a change there would make a new version of every chart.
import { namespacesRelease } from '../base/names.ts';
import { AmbientGatewayValues } from '../plan/values/ambient-gateway.ts';
import { EastwestGatewayValues } from '../plan/values/eastwest-gateway.ts';
import { IstioReaderValues } from '../plan/values/istio-reader.ts';
import { IstioRemoteValues } from '../plan/values/istio-remote.ts';
import { IstioRemoteClassicValues } from '../plan/values/istio-remote-classic.ts';
import { RouteInstallerValues } from '../plan/values/route-installer.ts';
import { renderTemplate } from './templates.ts';
import type { ChartFile, IndexedRelease, TemplateSources } from './types.ts';
import { valuesTable } from './values.ts';

export type ChartKind = IndexedRelease['chart'] | 'namespaces' | 'remote-token' | 'remote-secret';

/** A generated chart as its README speaks of it. */
export interface DescribedChart {
  readonly kind: ChartKind;
  /** Release name, which is the last part of the chart's folder. */
  readonly release: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly mesh: string;
  readonly istioVersion: string;
}

interface ChartText {
  readonly purpose: string;
  readonly command: (chart: DescribedChart) => string;
  readonly next: string;
  /** The values as a table, where they are for people to set. */
  readonly values?: () => string;
}

/** README.md of one chart, to be put among its files. */
export function chartReadme(chart: DescribedChart, templates: TemplateSources): ChartFile {
  const { release, cluster, mesh, istioVersion } = chart;
  const { purpose, command, next, values } = texts[chart.kind];
  const contents = renderTemplate(templates, 'chart-README.md.hbs', {
    chart: `${release}-${cluster}`,
    cluster,
    mesh,
    istioVersion,
    purpose,
    command: command(chart),
    next,
    classic: istioVersion.startsWith('0.'),
    values: values?.(),
  });
  return { path: 'README.md', contents };
}

const texts: Readonly<Record<ChartKind, ChartText>> = {
  namespaces: {
    purpose: "Makes the mesh's namespaces, and labels those that are there.",
    command: () => `${install(namespacesRelease, 'default')} --take-ownership`,
    next: removal(namespacesRelease, 'mode=remove', 'The namespaces stay, their labels go.'),
  },
  'istio-base': {
    purpose: "Istio's own chart `base`: its custom resource definitions.",
    command: ({ release, namespace }) => install(release, namespace),
    next: 'The definitions stay after `helm uninstall`, because all objects of their kinds would go with them.',
  },
  istiod: {
    purpose: "Istio's own chart `istiod`, with the values that make it the control plane of this mesh.",
    command: ({ release, namespace }) => `${install(release, namespace)} --wait`,
    next: 'Pods that started before it have no sidecars until they are restarted.',
  },
  'istio-ilb': {
    purpose: 'Internal load balancers in front of the Istio control plane, for the other clusters of its mesh.',
    command: ({ release, namespace }) => install(release, namespace),
    next: removal('istio-ilb', 'keep=false', 'Without that the Services stay, so that no address is lost by mistake.'),
  },
  'route-installer': {
    purpose: 'Routes to the pods of the other clusters on every node, installed by Jobs and kept by a DaemonSet.',
    command: ({ release, namespace }) => `${install(release, namespace)} --wait --wait-for-jobs`,
    next: `\`helm test route-installer\` looks again on every node. ${removal('route-installer', 'mode=remove', 'Without that the routes stay on the nodes until they reboot.')}`,
    values: () => valuesTable(RouteInstallerValues),
  },
  'eastwest-gateway': {
    purpose: 'The gateway through which pods of other networks reach those of this cluster, with mutual TLS from pod to pod.',
    command: ({ release, namespace }) => `${install(release, namespace)} --wait`,
    next: removal('eastwest-gateway', 'service.keep=false', 'Without that the Service stays, so that no address is lost by mistake.'),
    values: () => valuesTable(EastwestGatewayValues),
  },
  'ambient-gateway': {
    purpose:
      'The gateway through which ambient pods of other networks reach those of this cluster. It is valid for the Gateway API and taken by istiod; it was never tried with traffic.',
    command: ({ release, namespace }) => install(release, namespace),
    next: 'istiod makes Deployment and Service of it. Services are found from other networks once they carry the label `istio.io/global=true`.',
    values: () => valuesTable(AmbientGatewayValues),
  },
  'istio-reader': {
    purpose: 'The account by which the istiod of other clusters reads this one.',
    command: ({ release, namespace }) => install(release, namespace),
    next: 'The other primaries find the services of this cluster once they have its remote secret, the last step below.',
    values: () => valuesTable(IstioReaderValues),
  },
  'istio-remote': {
    purpose: 'Lets the cluster use the istiod of another cluster: its Service, endpoints, injection webhook and reader account.',
    command: ({ release, namespace }) => install(release, namespace),
    next: 'New pods get sidecars once the primary has the remote secret of this cluster, the last step below.',
    values: () => valuesTable(IstioRemoteValues),
  },
  'istio-remote-classic': {
    purpose: 'Lets the cluster use the Istio 0.8 control plane of another cluster: its Services, endpoints, citadel and reader account.',
    command: ({ release, namespace }) => install(release, namespace),
    next: 'Pilot finds the pods of this cluster once the primary has its remote secret, the last step below; Pilot reads it when it starts.',
    values: () => valuesTable(IstioRemoteClassicValues),
  },
  'remote-token': {
    purpose: 'Reads the token with which the control plane reads this cluster, and prints the remote secret; it installs nothing.',
    command: ({ namespace }) => `helm template remote-token CHART --namespace ${namespace} --dry-run=server | ...`,
    next: 'What it prints holds the token: pipe it into the command of the chart `remote-secret-...`, past files and logs.',
  },
  'remote-secret': {
    purpose:
      'The Secret that lets the control plane of this cluster read another one. The chart holds no secret: its values are the Secret itself.',
    command: ({ release, namespace }) => `... | ${install(release, namespace)} --reset-values --values -`,
    next: 'Pipe into it what the chart `remote-token-...` prints in the other cluster.',
  },
};

function install(release: string, namespace: string): string {
  return `helm upgrade --install ${release} CHART --namespace ${namespace}`;
}

function removal(release: string, setting: string, why: string): string {
  return `Before \`helm uninstall ${release}\`, run the command again with \`--set ${setting}\`. ${why}`;
}
