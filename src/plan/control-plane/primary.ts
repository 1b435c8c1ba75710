// What a primary lacks to serve remotes, with the command that mends it.
import { makeFinding } from '../../findings/index.ts';
import type { Finding } from '../../findings/types.ts';
import type { Mesh } from '../../spec/schema.ts';
import type { ResolvedCluster } from '../cluster.ts';
import { listText, shellQuote } from '../text.ts';
import { isAmbient, missingForAmbient } from './ambient.ts';
import { checkRevision, chosenRevision, hasIstiod, type Revision } from './revision.ts';

/** Istio that does not name its cluster calls it this. */
const unnamedCluster = 'Kubernetes';

export interface PrimaryScene {
  readonly mesh: Mesh;
  readonly meshID: string;
  readonly primary: ResolvedCluster;
  /** Whether it has remotes. */
  readonly serves: boolean;
  /** Whether the mesh has several networks, so that istiod must know the name of its own. */
  readonly networked: boolean;
}

/** Findings about the istiod of a primary that is joined with other clusters: its revision, EXTERNAL_ISTIOD and names (Istio 1.24 and later). */
export function checkPrimary(scene: PrimaryScene): Finding[] {
  const { mesh, primary, serves } = scene;
  const revision = chosenRevision(primary, mesh.istio.revision);
  return [
    ...(serves ? [] : checkPresence(scene)),
    ...checkRevision(primary, mesh.istio.revision),
    ...(revision === undefined ? [] : checkSettings(scene, revision)),
  ];
}

/** A primary without remotes; of the others each remote says it. Routes need no istiod, a gateway does. */
function checkPresence({ primary, networked }: PrimaryScene): Finding[] {
  if (!primary.readable || hasIstiod(primary.facts)) return [];
  const message = `It is a primary, and no istiod was found in it${networked ? ', which its gateway needs' : '; it gets routes only'}.`;
  return [makeFinding({ code: 'ISM076', severity: networked ? 'error' : 'warning', cluster: primary.name, message })];
}

function checkSettings(scene: PrimaryScene, revision: Revision): Finding[] {
  const cluster = scene.primary.name;
  const hint = mendCommand(scene, revision);
  const findings: Finding[] = [];
  if (scene.serves && revision.env['EXTERNAL_ISTIOD'] !== 'true') {
    findings.push(
      makeFinding({ code: 'ISM072', cluster, message: 'istiod runs without EXTERNAL_ISTIOD=true, so it serves no remote.', hint }),
    );
  }
  const missing = missingForAmbient(scene.mesh, scene.primary, revision);
  if (missing.length > 0) {
    findings.push(
      makeFinding({ code: 'ISM081', cluster, message: `istiod runs without ${listText(missing)}, so it makes no ambient gateway.`, hint }),
    );
  }
  const differences = nameDifferences(scene, revision);
  if (differences.length > 0) findings.push(makeFinding({ code: 'ISM073', cluster, message: `${listText(differences)}.`, hint }));
  return findings;
}

/** A name that is not set is no difference, but for the cluster: the remote's annotation must name it. */
function nameDifferences(scene: PrimaryScene, revision: Revision): string[] {
  const { meshID, primary, mesh } = scene;
  const clusterID = revision.env['CLUSTER_ID'] ?? unnamedCluster;
  return [
    clusterID === primary.name ? '' : `Istio calls this cluster ${clusterID}, mesh.yaml ${primary.name}`,
    ['', undefined, meshID].includes(revision.meshID) ? '' : `its mesh ID is ${revision.meshID}, not ${meshID}`,
    networkDifference(scene, revision),
    ['', undefined, mesh.istio.trustDomain].includes(revision.trustDomain)
      ? ''
      : `its trust domain is ${revision.trustDomain}, not ${mesh.istio.trustDomain}`,
  ].filter((text) => text !== '');
}

/** Sidecars that carry no network take every endpoint for one of their own network, and never use a gateway. */
function networkDifference({ primary, networked }: PrimaryScene, { network }: Revision): string {
  if (networked && network === undefined) return `it names no network for its sidecars, and this one is ${primary.network}`;
  const found = network ?? primary.facts.istio?.namespaceNetwork?.value ?? '';
  return ['', primary.network].includes(found) ? '' : `its network is ${found}, not ${primary.network}`;
}

/** The command, or the words, that give istiod what it lacks; by who installed it. */
function mendCommand(scene: PrimaryScene, revision: Revision): string {
  const { mesh, primary } = scene;
  const settings = [
    'global.externalIstiod=true',
    `global.multiCluster.clusterName=${primary.name}`,
    `global.meshID=${scene.meshID}`,
    `global.network=${primary.network}`,
  ];
  const ambient = ambientSettings(mesh);
  const manager = revision.managedBy ?? '';
  const context = primary.spec.context === undefined ? '' : ` ${shellQuote(primary.spec.context)}`;
  const release = /^Helm release (\S+)$/.exec(manager)?.[1];
  if (release !== undefined) {
    const kube = context === '' ? '' : ` --kube-context${context}`;
    const version = revision.version ?? mesh.istio.version;
    const set = [...settings, ...ambient.helm].map((setting) => ` --set ${setting}`).join('');
    return `helm upgrade ${release} istio/istiod -n ${mesh.istio.namespace}${kube} --version ${version} --reuse-values${set}`;
  }
  if (manager === 'istioctl') {
    const kube = context === '' ? '' : ` --context${context}`;
    const set = [...ambient.istioctl, ...settings.map((setting) => `values.${setting}`)].map((setting) => ` --set ${setting}`).join('');
    return `istioctl install${kube}${set}, with the options it was installed with`;
  }
  if (manager !== '') return `Set values.${listText([...settings, ...ambient.istioctl])} in the resource it is managed by: ${manager}.`;
  const kube = context === '' ? '' : ` --context${context}`;
  const deployment = mesh.istio.revision === '' ? 'istiod' : `istiod-${mesh.istio.revision}`;
  return `kubectl${kube} -n ${mesh.istio.namespace} set env deployment/${deployment} EXTERNAL_ISTIOD=true CLUSTER_ID=${primary.name}${ambient.env}`;
}

/** What the command adds for ambient; Istio's profile sets more than istiod's environment, such as which services are shared. */
function ambientSettings(mesh: Mesh): { readonly helm: readonly string[]; readonly istioctl: readonly string[]; readonly env: string } {
  if (!isAmbient(mesh)) return { helm: [], istioctl: [], env: '' };
  return {
    helm: ['profile=ambient', 'env.AMBIENT_ENABLE_MULTI_NETWORK=true'],
    istioctl: ['profile=ambient', 'values.pilot.env.AMBIENT_ENABLE_MULTI_NETWORK=true'],
    env: ' PILOT_ENABLE_AMBIENT=true AMBIENT_ENABLE_MULTI_NETWORK=true',
  };
}
