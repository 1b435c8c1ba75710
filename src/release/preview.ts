// What install would do, without doing any of it: every helm command, and the difference between what is deployed and what would be.
import * as z from 'zod';
import { shortFingerprint } from '../base/certificates.ts';
import { describeObject, type KubeObject } from '../base/objects.ts';
import { toYaml } from '../base/yaml.ts';
import { findHelm } from './helm.ts';
import { shellQuote, templateArgs, upgradeArgs } from './helm-args.ts';
import { deployedObjects, objectsOf } from './helm-state.ts';
import { listed } from './install-release.ts';
import { isAsPlanned, type PlannedNamespace, readNamespace } from './namespaces.ts';
import { closeRun, openRun, type Run } from './open-run.ts';
import type { Session } from './session.ts';
import { signerStep } from './signer.ts';
import type { GeneratedMesh, InstallOptions, PreviewStep, Release, ReleaseDeps, ReleaseResult } from './types.ts';

export interface Preview {
  readonly steps: readonly PreviewStep[];
  /** Clusters that could not be looked at. */
  readonly failed: readonly ReleaseResult[];
}

const Version = z.object({ gitVersion: z.string() });

/**
 * Computes what `install` would do, cluster by cluster in its order. Writes nothing at all, not even a Lease.
 * @throws IsthmusError (usage) when there is no usable helm
 */
export async function previewInstall(generated: GeneratedMesh, deps: ReleaseDeps, options: InstallOptions = {}): Promise<Preview> {
  const run = await openRun({ purpose: 'install', generated, deps, options, helm: await findHelm(deps) });
  try {
    const steps: PreviewStep[] = [];
    for (const session of run.sessions.values()) {
      for (const namespace of session.spec.namespaces) steps.push(await previewNamespace(session, namespace));
      steps.push(...previewSigner(session));
      const own = generated.releases.filter(({ cluster }) => cluster === session.spec.name).sort((a, b) => a.order - b.order);
      for (const release of own) steps.push(await previewRelease(run, session, release));
    }
    const secrets = generated.index.remoteSecrets.map(({ primary, name }) => ({
      cluster: primary,
      step: `remote secret ${name}`,
      diff: '',
    }));
    return { steps: [...steps, ...secrets], failed: run.steps.results };
  } finally {
    await closeRun(run);
  }
}

/** Names and fingerprint only: nothing of a key is ever printed. */
function previewSigner({ spec }: Session): PreviewStep[] {
  if (spec.signer === undefined) return [];
  const diff = `Made when it is absent: from ${spec.signer.folder}, of root ${shortFingerprint(spec.signer.root)}\n`;
  return [{ cluster: spec.name, step: signerStep, diff }];
}

async function previewNamespace({ client, spec }: Session, planned: PlannedNamespace): Promise<PreviewStep> {
  const step = { cluster: spec.name, step: `namespace ${planned.name}` };
  const current = await readNamespace(client, planned.name);
  if (isAsPlanned(current, planned)) return { ...step, diff: '' };
  const now = current === undefined ? '' : toYaml(shown(current.metadata.labels, current.metadata.annotations, planned));
  return {
    ...step,
    diff: await unifiedDiff(`Namespace ${planned.name}`, now, toYaml({ labels: planned.labels, annotations: planned.annotations })),
  };
}

/** Only the labels and annotations that the plan speaks of. */
function shown(
  labels: Readonly<Record<string, string>> = {},
  annotations: Readonly<Record<string, string>> = {},
  planned: PlannedNamespace,
) {
  const pick = (actual: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.keys(wanted).flatMap((key) => (actual[key] === undefined ? [] : [[key, actual[key]]])));
  return { labels: pick(labels, planned.labels), annotations: pick(annotations, planned.annotations) };
}

async function previewRelease(run: Run, session: Session, release: Release): Promise<PreviewStep> {
  const step = { cluster: release.cluster, step: release.name };
  if (release.chartPath === undefined) return { ...step, diff: '' };
  const target = session.target(release.namespace);
  const deployed = (await listed(run, session, release.namespace)).has(release.name);
  const now = deployed ? await deployedObjects(run.helm, target, release.name) : [];
  const version = Version.parse(await session.client.get('/version')).gitVersion;
  const rendered = await run.helm.run(templateArgs(target, { name: release.name, chart: release.chartPath }, version), {
    where: release.cluster,
  });
  const upgrade = {
    release: release.name,
    chart: release.chartPath,
    forceConflicts: run.options.forceConflicts ?? false,
    adopt: release.adopt ?? false,
  };
  const command = shellQuote([run.helm.program, ...upgradeArgs(target, upgrade, run.helm.flags)]);
  return { ...step, command, diff: await diffObjects(now, objectsOf(rendered, `helm template ${release.name}`)) };
}

async function diffObjects(now: readonly KubeObject[], next: readonly KubeObject[]): Promise<string> {
  const names = [...new Set([...now, ...next].map(describeObject))].sort();
  const textOf = (objects: readonly KubeObject[], name: string) => {
    const object = objects.find((each) => describeObject(each) === name);
    return object === undefined ? '' : toYaml(object);
  };
  const diffs: string[] = [];
  for (const name of names) diffs.push(await unifiedDiff(name, textOf(now, name), textOf(next, name)));
  return diffs.join('');
}

async function unifiedDiff(name: string, now: string, next: string): Promise<string> {
  if (now === next) return '';
  const { createTwoFilesPatch } = await import('diff');
  return createTwoFilesPatch(now === '' ? '/dev/null' : name, next === '' ? '/dev/null' : name, now, next, undefined, undefined, {
    context: 3,
  }).replace(/^=+\n/, '');
}
