// Findings about what a plan starts from: which clusters, how fresh and how complete their facts are.
import type { FindingKind } from './types.ts';

export const inputFindings = [
  {
    code: 'ISM001',
    severity: 'error',
    title: 'Two clusters of the mesh are the same cluster',
    why: 'Two entries of mesh.yaml lead to one cluster: the UID of its kube-system namespace, the context or the API server is the same. Joining a cluster to itself would route its pod addresses to itself.',
    mend: 'Give each cluster a context or a facts file of its own, or remove one of the two entries.',
  },
  {
    code: 'ISM002',
    severity: 'error',
    title: 'The facts are those of another cluster',
    why: 'A facts file names the cluster it was read from. Used for another one, every route and address of the plan would be swapped.',
    mend: 'Correct the `facts:` path in mesh.yaml, or read the cluster again with `isthmus inspect --out facts/`.',
  },
  {
    code: 'ISM003',
    severity: 'warning',
    title: 'The facts are old',
    why: 'Calico moves blocks between nodes while pods come and go. After some minutes a saved block may belong to another node, which then gets traffic that is not its own.',
    mend: 'Read the clusters again with `isthmus inspect --out facts/` shortly before you install.',
  },
  {
    code: 'ISM004',
    severity: 'error',
    title: 'The facts come from the future',
    why: 'The time at which the cluster was read lies after the time of this machine. One of the clocks is wrong, or the file was edited, so its age cannot be judged.',
    mend: 'Correct the clock, then read the cluster again.',
  },
  {
    code: 'ISM005',
    severity: 'warning',
    title: 'mesh.yaml differs from what was found in the cluster',
    why: 'What you write wins over what was found. When both are there and differ, one of them may be out of date.',
    mend: 'Remove the value from mesh.yaml to use what was found, or leave it when you know better.',
  },
  {
    code: 'ISM006',
    severity: 'error',
    title: 'A permission to read the cluster is missing',
    why: 'The API server refused a read that the plan needs. Without it, routes or checks would be built on guesses.',
    mend: 'Give the user of the context the rule that the finding prints, or have someone with that right run `isthmus inspect --out facts/`.',
  },
  {
    code: 'ISM007',
    severity: 'warning',
    title: 'A fact about the cluster is unknown',
    why: 'The checks that need it are left out. That is normal for a cluster that is described by text only.',
    mend: 'Let isthmus read the cluster (`context:`), or write the value in mesh.yaml.',
  },
  {
    code: 'ISM008',
    severity: 'error',
    title: 'A part of the cluster could not be read',
    why: 'An answer was missing, incomplete or not of the form that Kubernetes promises. An empty list that is really an error would withdraw routes that are in use.',
    mend: 'Look at the object or path that the finding names, and read the cluster again.',
  },
  {
    code: 'ISM009',
    severity: 'warning',
    title: '`ignore` names a finding that does not exist',
    why: 'A code that no finding has silences nothing; it is most likely a typing error.',
    mend: 'Correct or remove it; `isthmus explain` lists every code.',
  },
] as const satisfies readonly FindingKind[];
