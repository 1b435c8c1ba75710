// YAML that sits as text inside a ConfigMap: kubeadm's, kube-proxy's and Istio's configuration.
import * as z from 'zod';
import { IsthmusError } from '../base/errors.ts';
import { parseYaml } from '../base/yaml.ts';
import { ConfigMap, configMapPath } from './objects.ts';
import type { Reads } from './reads.ts';

export interface ConfigText<T> {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  /** The fields that are wanted. */
  readonly schema: z.ZodType<T>;
}

/** The text under `key`, parsed; undefined when there is none, or when it makes no sense, which is reported (ISM008). */
export async function readConfigText<T>(reads: Reads, { namespace, name, key, schema }: ConfigText<T>): Promise<T | undefined> {
  const text = (await reads.get(configMapPath(namespace, name), ConfigMap))?.data.get(key);
  if (text === undefined || text.trim() === '') return undefined;
  try {
    return schema.parse(parseYaml(text, key).value);
  } catch (error) {
    reads.report({ code: 'ISM008', where: `ConfigMap ${namespace}/${name}`, message: `${key} makes no sense: ${reasonOf(error)}` });
    return undefined;
  }
}

/** Why the text was refused; anything but a refusal is a bug and goes on. */
function reasonOf(error: unknown): string {
  if (error instanceof IsthmusError) return error.message;
  if (error instanceof z.ZodError) return error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`)[0] ?? 'unknown reason';
  throw error;
}
