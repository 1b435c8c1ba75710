// isthmus bundle verify: every byte of a bundle accounted for, without a cluster and without writing anything.
import { resolve } from 'node:path';
import { archiveError } from '../archive/errors.ts';
import { exitCodes } from '../base/errors.ts';
import { bundleFiles } from '../bundle/layout.ts';
import { readBundle } from '../bundle/read.ts';
import { checkSignature, type Signer } from '../bundle/signature.ts';
import type { Bundle } from '../bundle/types.ts';
import type { System } from '../system/types.ts';
import { describeSigner } from './bundle-text.ts';
import { printResult } from './output.ts';
import type { Run } from './types.ts';

export const run: Run = async (system, args) => {
  const shown = args.positionals[0] ?? '';
  const allowed = args.option('allowedSigners');
  const bundle = await readBundle(system.files, resolve(system.cwd, shown));
  const signer = await readSigner(system, bundle, { shown, allowed: allowed === undefined ? undefined : resolve(system.cwd, allowed) });
  printResult(system.terminal, args, {
    value: {
      apiVersion: 'isthmus/v1',
      kind: 'BundleVerification',
      file: shown,
      mesh: bundle.manifest.mesh,
      files: bundle.files.size,
      manifest: bundle.files.get(bundleFiles.manifest)?.sha256,
      ...(signer === undefined ? {} : { signer }),
    },
    text: () => `${shown} is whole: ${bundle.files.size} files, each as it was made. ${describeSigner(signer)}\n`,
  });
  return exitCodes.ok;
};

/** Checks the signature of a bundle that has one; IsthmusError when signers are named and it has none. */
export async function readSigner(
  system: System,
  { texts }: Bundle,
  { shown, allowed }: { readonly shown: string; readonly allowed: string | undefined },
): Promise<Signer | undefined> {
  const signature = texts.get(bundleFiles.signature);
  if (signature !== undefined) return checkSignature(system, { manifest: texts.get(bundleFiles.manifest) ?? '', signature, allowed });
  if (allowed === undefined) return undefined;
  throw archiveError('is not signed', shown);
}
