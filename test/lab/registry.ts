// A real OCI registry on loopback, without TLS, that asks for a user and password where a test wants it to.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toolPath } from '../helpers/tools.ts';
import { makeFolder, removeFolder } from './folders.ts';
import { freePorts } from './ports.ts';
import { startProcess } from './process.ts';
import { waitFor } from './wait.ts';

/** The one user of a registry that asks for one. */
export const registryUser = { name: 'admin', password: 'open-sesame' } as const;

/** bcrypt of the password, the only form that the registry reads. */
const passwords = `${registryUser.name}:$2b$05$abcdefghijklmnopqrstuutXu9KzOt.1yBoZUeFWoT/914/JfszCO\n`;

export interface Registry {
  /** Host and port, as in a reference. */
  readonly host: string;
  /** Names of all repositories. */
  repositories(): Promise<readonly string[]>;
  /** Digest of the manifest behind a tag or digest, as the registry tells it; undefined when there is none. */
  digest(repository: string, reference: string): Promise<string | undefined>;
  /** What clients asked for, a line each. */
  log(): string;
  stop(): Promise<void>;
}

/** Starts an empty registry. */
export async function startRegistry({ users = false }: { readonly users?: boolean } = {}): Promise<Registry> {
  const folder = makeFolder('registry', false);
  const [port = 0] = await freePorts(1);
  const host = `127.0.0.1:${port}`;
  writeFileSync(join(folder, 'passwords'), passwords);
  const config = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: join(folder, 'storage') }, delete: { enabled: true } },
    http: { addr: host },
    ...(users ? { auth: { htpasswd: { realm: 'isthmus', path: join(folder, 'passwords') } } } : {}),
  };
  // Whatever is JSON is YAML, too.
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(config));
  const command = [toolPath('registry'), 'serve', join(folder, 'config.yml')];
  const registry = startProcess({ folder, name: 'registry', command, keep: false, env: { OTEL_TRACES_EXPORTER: 'none' } });
  const authorization = `Basic ${Buffer.from(`${registryUser.name}:${registryUser.password}`).toString('base64')}`;
  const ask = (path: string) =>
    fetch(`http://${host}/v2/${path}`, { headers: { accept: 'application/vnd.oci.image.manifest.v1+json', authorization } });
  await waitFor('the registry', async () => (await ask('')).ok);
  return {
    host,
    repositories: async () => ((await (await ask('_catalog?n=1000')).json()) as { repositories: string[] }).repositories,
    digest: async (repository, reference) => {
      const response = await ask(`${repository}/manifests/${reference}`);
      await response.body?.cancel();
      return response.ok ? (response.headers.get('docker-content-digest') ?? undefined) : undefined;
    },
    log: () => readFileSync(join(folder, 'registry.log'), 'utf8'),
    stop: async () => {
      await registry.stop();
      await removeFolder(folder);
    },
  };
}
