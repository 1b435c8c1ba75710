// Cgroups of a machine: one in every hierarchy, which is the root for everything inside, so that no node sees another's containers.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cgroupOf, removeCgroups } from '../folders.ts';

/** What a shell runs as a machine's first and second step. */
export interface CgroupScripts {
  /** Before the namespaces are made: go into the machine's cgroups. */
  readonly enter: string;
  /** Inside: put the machine's cgroups where the hierarchies are mounted. */
  readonly mount: string;
}

/** Makes the cgroups of a machine anew. Hosts with only version 2 need none: there kubelet finds its containers by their runtime. */
export function makeCgroups(folder: string): CgroupScripts {
  removeMachineCgroups(folder);
  const found = hierarchies();
  for (const path of found) {
    const cgroup = join(path, cgroupName(folder));
    mkdirSync(cgroup, { recursive: true });
    fillCpuset(cgroup, path);
  }
  return {
    enter: found.map((path) => `echo 0 >${join(path, cgroupName(folder))}/cgroup.procs\n`).join(''),
    mount: found.map((path) => `mount --bind ${join(path, cgroupName(folder))} ${path}\n`).join(''),
  };
}

function removeMachineCgroups(folder: string): void {
  for (const path of hierarchies()) removeCgroups(join(path, cgroupName(folder)));
}

function cgroupName(folder: string): string {
  return join(cgroupOf(dirname(folder)), basename(folder));
}

/** Where version 1 is mounted. */
function hierarchies(): string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  return mounts.map((line) => line.split(' ')).flatMap(([, path = '', type]) => (type === 'cgroup' ? [path] : []));
}

/** A new cpuset is empty, and takes no process before its parent's and its own are filled. */
function fillCpuset(cgroup: string, top: string): void {
  for (const folder of [dirname(cgroup), cgroup])
    for (const file of ['cpuset.cpus', 'cpuset.mems'])
      if (existsSync(join(top, file))) writeFileSync(join(folder, file), readFileSync(join(top, file)));
}
