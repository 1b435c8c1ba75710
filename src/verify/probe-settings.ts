// The image of the probe pods: one that the nodes have already.
import { join } from 'node:path';
import { maxYamlBytes, parseYaml } from '../base/yaml.ts';
import { istioImage, parseImage } from '../plan/image.ts';
import { Image, ImagePullSecrets } from '../plan/values/common.ts';
import { RouteInstallerValues } from '../plan/values/route-installer.ts';
import type { GeneratedMesh } from '../release/types.ts';
import type { Mesh } from '../spec/schema.ts';
import type { System } from '../system/types.ts';
import type { ProbeSettings } from './types.ts';

export interface ProbeInput {
  readonly generated: GeneratedMesh;
  readonly mesh: Mesh;
  /** Image that the user insists on. */
  readonly image?: string;
}

/** That of the routes, as it stands in the values of the cluster's chart, where a mirror may have been written. */
export async function probeSettings(files: System['files'], input: ProbeInput, cluster: string): Promise<ProbeSettings> {
  const { generated, mesh } = input;
  const chart = generated.releases.find((release) => release.cluster === cluster && release.chart === 'route-installer')?.chartPath;
  const values = chart === undefined ? undefined : await readValues(files, join(chart, 'values.yaml'));
  const planned = mesh.routes.image === undefined ? istioImage(mesh.istio, 'proxyv2') : parseImage(mesh.routes.image);
  const { registry, repository, tag, digest, pullPolicy } = values?.image ?? Image.parse(planned);
  const name = `${registry === '' ? '' : `${registry.replace(/\/$/, '')}/`}${repository}`;
  const image = `${name}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`;
  return { image: input.image ?? image, pullPolicy, pullSecrets: values?.imagePullSecrets ?? ImagePullSecrets.parse([]) };
}

async function readValues(
  files: System['files'],
  file: string,
): Promise<Pick<RouteInstallerValues, 'image' | 'imagePullSecrets'> | undefined> {
  if (!(await files.exists(file))) return undefined;
  const parsed = RouteInstallerValues.unwrap()
    .pick({ image: true, imagePullSecrets: true })
    .strip()
    .safeParse(parseYaml(await files.read(file, maxYamlBytes), file).value);
  return parsed.success ? parsed.data : undefined;
}
