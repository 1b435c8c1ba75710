// What people read and run in a bundle: README.md for the one who carries it, install.sh, verify.sh.
import { renderTemplate } from '../render/templates.ts';
import type { Artifact, TemplateSources } from '../render/types.ts';
import { mirroredImage, rewriteRules } from './images.ts';
import { foreignInjectors } from './injectors.ts';
import { installScript } from './install-script.ts';
import { ociFolder } from './layout.ts';
import type { PreparedBundle } from './pack.ts';
import type { ImageLock } from './types.ts';

/**
 * The documents of a bundle. Pure.
 * @param images with digests, when they were copied
 * @param oci whether images/oci goes along
 */
export function bundleDocuments(
  { input, hubs }: PreparedBundle,
  { images, oci, templates }: { readonly images: ImageLock; readonly oci: boolean; readonly templates: TemplateSources },
): readonly Artifact[] {
  const { index } = input.generated;
  const rules = rewriteRules(images);
  const data = {
    mesh: index.mesh,
    istioVersion: index.istio.version,
    isthmusVersion: index.isthmus,
    namespace: index.istio.namespace,
    clusters: index.clusters.map(({ name, role }) => ({ name, role, kubeVersion: input.kubernetes.get(name) })),
    oci,
    images: images.images.map(({ image }) => ({
      from: oci ? `oci:${ociFolder.slice(0, -1)}:${image}` : `docker://${image}`,
      to: mirroredImage(image, rules, ''),
    })),
    injected: foreignInjectors(index).length === 0 ? [] : injectedImages(images),
    signers: index.clusters.filter(({ signer }) => signer !== undefined).map(({ name }) => ({ name })),
  };
  return [
    { path: 'README.md', contents: renderTemplate(templates, 'bundle-README.md.hbs', data) },
    { path: 'verify.sh', contents: renderTemplate(templates, 'bundle-verify.sh.hbs', data), executable: true },
    installScript(index, { images, hubs }, templates),
  ];
}

function injectedImages({ images }: ImageLock): readonly { readonly image: string }[] {
  return images.filter(({ sources }) => sources.includes('injected')).map(({ image }) => ({ image }));
}
