// Istio as it is installed: revisions of the control plane, mesh ID and network, root certificate, injection webhooks.
import * as z from 'zod';
import { istioNames } from '../base/names.ts';
import { type ApiGroups, groupPath } from './api-groups.ts';
import { readConfigText } from './config-text.ts';
import { Deployment, describeRevision, isControlPlane, Service } from './istio-revision.ts';
import { compareText, sortedUnique } from './lists.ts';
import { Metadata, Named } from './objects.ts';
import type { Reads } from './reads.ts';
import { readRootCert } from './root-cert.ts';
import type { IstioFacts } from './schema.ts';

type Revision = IstioFacts['revisions'][number];

const Namespace = z.object({ kind: z.literal('Namespace'), metadata: Metadata });

const MeshConfig = z.object({
  trustDomain: z.string().optional(),
  defaultConfig: z.object({ meshId: z.string().optional() }).nullish(),
});
const InjectorValues = z.object({
  global: z.object({ network: z.string().nullish(), meshID: z.string().nullish() }).nullish(),
});

/** Names of injection webhooks: of a revision (istio-sidecar-injector...) and of a tag (istio-revision-tag-...). */
const webhookName = /^istio-(?:sidecar-injector|revision-tag)/;

/** What Istio is in this cluster; undefined when its namespace does not exist or cannot be read. */
export async function readIstio(reads: Reads, groups: ApiGroups, namespace: string): Promise<IstioFacts | undefined> {
  const object = await reads.get(`/api/v1/namespaces/${namespace}`, Namespace);
  if (object === undefined) return undefined;
  const [revisions, rootCertFingerprint, injectionWebhooks] = await Promise.all([
    readRevisions(reads, groups, namespace),
    readRootCert(reads, namespace),
    readWebhooks(reads, groups),
  ]);
  const network = object.metadata.labels[istioNames.networkLabel];
  const source = `label ${istioNames.networkLabel} of Namespace ${namespace}`;
  return {
    namespace,
    revisions,
    ...(rootCertFingerprint === undefined ? {} : { rootCertFingerprint }),
    ...(network === undefined ? {} : { namespaceNetwork: { value: network, source } }),
    injectionWebhooks,
  };
}

async function readRevisions(reads: Reads, groups: ApiGroups, namespace: string): Promise<readonly Revision[]> {
  const apps = groupPath(groups, 'apps', ['v1', 'v1beta2']);
  if (apps === undefined) return [];
  const [deployments, services] = await Promise.all([
    reads.list(`${apps}/namespaces/${namespace}/deployments`, Deployment),
    reads.list(`/api/v1/namespaces/${namespace}/services`, Service),
  ]);
  const controlPlanes = (deployments ?? []).filter(isControlPlane).sort((a, b) => compareText(a.metadata.name, b.metadata.name));
  const sorted = [...(services ?? [])].sort((a, b) => compareText(a.metadata.name, b.metadata.name));
  const revisions = controlPlanes.map((deployment) => describeRevision(deployment, sorted));
  const complete = await Promise.all(revisions.map((revision) => withMeshConfig(reads, namespace, revision)));
  return complete.sort((a, b) => compareText(a.name, b.name));
}

/** Mesh ID and trust domain are in ConfigMap istio, the network only in the values of the injector. */
async function withMeshConfig(reads: Reads, namespace: string, revision: Revision): Promise<Revision> {
  const suffix = revision.name === '' ? '' : `-${revision.name}`;
  const [mesh, values] = await Promise.all([
    readConfigText(reads, { namespace, name: `istio${suffix}`, key: 'mesh', schema: MeshConfig }),
    readConfigText(reads, { namespace, name: `istio-sidecar-injector${suffix}`, key: 'values', schema: InjectorValues }),
  ]);
  const meshID = mesh?.defaultConfig?.meshId ?? values?.global?.meshID ?? '';
  const network = values?.global?.network ?? '';
  return {
    ...revision,
    ...(network === '' ? {} : { network }),
    ...(meshID === '' ? {} : { meshID }),
    ...(mesh?.trustDomain === undefined ? {} : { trustDomain: mesh.trustDomain }),
  };
}

async function readWebhooks(reads: Reads, groups: ApiGroups): Promise<readonly string[]> {
  const path = groupPath(groups, 'admissionregistration.k8s.io', ['v1', 'v1beta1']);
  if (path === undefined) return [];
  const webhooks = await reads.list(`${path}/mutatingwebhookconfigurations`, Named, { metadataOnly: true });
  return sortedUnique((webhooks ?? []).map(({ metadata }) => metadata.name).filter((name) => webhookName.test(name)));
}
