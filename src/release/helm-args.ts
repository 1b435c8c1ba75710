// Builds the argument lists of helm. Pure: the same release always gives the same command.
import type { HelmFlags } from './helm.ts';

/** Where a helm command works. */
export interface HelmTarget {
  readonly context: string;
  /** Absolute path; the files of KUBECONFIG when absent. */
  readonly kubeconfig: string | undefined;
  readonly namespace: string;
}

export interface Upgrade {
  readonly release: string;
  readonly chart: string;
  /** Values as YAML come on standard input. */
  readonly valuesFromInput?: boolean;
  readonly forceConflicts?: boolean;
  /** Take over objects that are there already. */
  readonly adopt?: boolean;
}

/** States that are listed: everything that is, or may become, something in the cluster. */
const liveStates = ['--deployed', '--failed', '--pending', '--uninstalling'] as const;
const history = 5;

/**
 * `helm upgrade --install`. Values come from the chart folder alone: without --reset-values helm would reuse those of the last
 * revision when none are given. No --wait: isthmus waits itself, per node and with reasons.
 */
export function upgradeArgs(target: HelmTarget, upgrade: Upgrade, flags: HelmFlags): readonly string[] {
  const force = upgrade.forceConflicts === true && flags.has('--force-conflicts');
  return [
    'upgrade',
    upgrade.release,
    upgrade.chart,
    '--install',
    '--reset-values',
    ...(upgrade.valuesFromInput === true ? ['--values', '-'] : []),
    '--history-max',
    String(history),
    ...(upgrade.adopt === true ? ['--take-ownership'] : []),
    // Helm 4 refuses --force-conflicts for releases that helm 3 made, unless server-side apply is asked for as well.
    ...(force ? ['--server-side=true', '--force-conflicts'] : []),
    ...targetArgs(target),
  ];
}

export function uninstallArgs(target: HelmTarget, release: string): readonly string[] {
  return ['uninstall', release, ...targetArgs(target)];
}

export function rollbackArgs(target: HelmTarget, release: string, revision: number): readonly string[] {
  return ['rollback', release, String(revision), ...targetArgs(target)];
}

export function listArgs(target: HelmTarget): readonly string[] {
  return ['list', ...liveStates, '--output', 'json', ...targetArgs(target)];
}

export function historyArgs(target: HelmTarget, release: string): readonly string[] {
  return ['history', release, '--output', 'json', ...targetArgs(target)];
}

export function manifestArgs(target: HelmTarget, release: string): readonly string[] {
  return ['get', 'manifest', release, ...targetArgs(target)];
}

/** `helm template` of what an installation makes, so without tests; it needs no cluster once it is told the Kubernetes version. */
export function templateArgs(target: HelmTarget, release: { readonly name: string; readonly chart: string }, kubeVersion: string) {
  return ['template', release.name, release.chart, '--namespace', target.namespace, '--kube-version', kubeVersion, '--skip-tests'] as const;
}

function targetArgs({ context, kubeconfig, namespace }: HelmTarget): readonly string[] {
  return [...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]), '--kube-context', context, '--namespace', namespace];
}

/** One command line for people, quoted for a POSIX shell. */
export function shellQuote(words: readonly string[]): string {
  return words.map((word) => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
