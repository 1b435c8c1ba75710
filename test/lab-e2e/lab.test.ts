// The lab of real nodes: what it is made of, and that nothing of it outlives the program that started it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert, describe } from '../helpers/suite.ts';
import { cgroupOf, removeFolders } from '../lab/folders.ts';
import { waitFor } from '../lab/wait.ts';

const long = { timeoutMs: 180_000 };

/** Starts a lab with one pod, and then does nothing. */
const program = `
import { startLab } from '${join(import.meta.dirname, '..', 'lab', 'nodes', 'lab.ts')}';
import { startProbes } from '${join(import.meta.dirname, '..', 'lab', 'nodes', 'probes.ts')}';
import { meshShape } from '${join(import.meta.dirname, '..', 'lab', 'nodes', 'shape.ts')}';
const lab = await startLab({ shape: meshShape({ clusters: 1, nodes: 1 }) });
await Promise.all(lab.clusters.map(startProbes));
console.log(lab.folder);
setInterval(() => undefined, 1000);
`;

describe('the lab of real nodes', ({ test }) => {
  test(
    'ends with a program that is killed, containers included, and is cleared away later',
    async () => {
      const parent = mkdtempSync(join(tmpdir(), 'isthmus-orphans-'));
      const owner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, ISTHMUS_LAB: parent },
      });
      const [line] = (await once(owner.stdout, 'data')) as [Buffer];
      const folder = line.toString().trim();
      assert.ok(processesOf(folder).length > 8, processesOf(folder).join('\n'));

      owner.kill('SIGKILL');

      await waitFor('every process to end', async () => processesOf(folder).length === 0);
      assert.equal(await removeFolders(parent), [folder]);
      assert.equal(readdirSync(parent), []);
      assert.equal(
        cgroupFolders().filter((path) => path.endsWith(cgroupOf(folder))),
        [],
      );
      assert.not.ok(readFileSync('/proc/mounts', 'utf8').includes(folder));
      rmdirSync(parent);
    },
    long,
  );
});

/** Command lines of running processes that name the lab's folder, and of what runs in its cgroups. */
function processesOf(folder: string): string[] {
  const cgroup = cgroupOf(folder);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
      return command.includes(folder) || read(`/proc/${pid}/cgroup`).includes(cgroup) ? [command] : [];
    });
}

function cgroupFolders(): string[] {
  const top = '/sys/fs/cgroup';
  const folders = readdirSync(top, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.flatMap(({ name }) => readdirSync(join(top, name)).map((each) => join(top, name, each)));
}

/** Processes come and go while they are looked at. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
