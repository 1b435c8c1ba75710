// isthmus ca: makes the root of trust that the primaries of a mesh share.
import { join, relative, resolve } from 'node:path';
import { exitCodes, usageError } from '../base/errors.ts';
import { eraOf, type LoadedMesh } from '../spec/schema.ts';
import type { Initialized } from '../trust/init.ts';
import { refuseGenerated } from '../trust/place.ts';
import { readMesh } from './load.ts';
import { printResult } from './output.ts';
import type { Run } from './types.ts';

export const run: Run = async (system, args) => {
  const file = args.positionals[1] ?? 'mesh.yaml';
  const out = args.option('out') ?? 'ca';
  const loaded = await readMesh(system, file);
  const { mesh } = loaded;
  if (eraOf(mesh) === 'classic')
    throw usageError('Citadel of Istio 0.8 signs with a certificate of its own', {
      where: file,
      hint: 'It takes no other root from outside.',
    });
  const folder = resolve(system.cwd, out);
  await refuseGenerated(system.files, folder);
  const { initTrust } = await import('../trust/init.ts');
  const result = await initTrust({
    files: system.files,
    privateFiles: system.privateFiles,
    folder,
    mesh: mesh.metadata.name,
    clusters: mesh.clusters.filter(({ role }) => role === 'primary').map(({ name }) => name),
    dnsName: `istiod.${mesh.istio.namespace}.svc`,
    now: system.clock.now(),
  });
  const { made, kept, root } = result;
  printResult(system.terminal, args, {
    value: { apiVersion: 'isthmus/v1', kind: 'RootOfTrust', folder, root: { ...root, validTo: root.validTo.toISOString() }, made, kept },
    text: () => describe(loaded, { out, folder, result }),
  });
  return exitCodes.ok;
};

interface Made {
  /** The folder as the user named it. */
  readonly out: string;
  readonly folder: string;
  readonly result: Initialized;
}

function describe(loaded: LoadedMesh, { out, folder, result }: Made): string {
  const { made, kept, root } = result;
  const lines = [
    ...made.map((name) => `  made  ${name === 'root' ? join(out, 'root-cert.pem') : join(out, name)}\n`),
    ...kept.map((name) => `  kept  ${join(out, name)}\n`),
  ];
  const asked = loaded.mesh.istio.ca !== undefined && resolve(loaded.folder, loaded.mesh.istio.ca) === folder;
  const path = relative(loaded.folder, folder);
  const next = asked ? 'isthmus generate' : `put \`ca: ${path}\` below \`istio\` in ${loaded.file}, then isthmus generate`;
  return `Root of mesh ${loaded.mesh.metadata.name}, until ${root.validTo.toISOString().slice(0, 10)}\nSHA-256 ${root.fingerprint}\n\n${lines.join('')}
${join(out, 'root-key.pem')} is needed only to add clusters. Keep it where nobody else can read it, away from here.
Next: ${next}\n`;
}
