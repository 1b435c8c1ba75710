// The parts of Kubernetes objects that several probes read.
import * as z from 'zod';

const TextMap = z.record(z.string(), z.string());

/** Metadata with empty maps where the object has none. */
export const Metadata = z.object({
  name: z.string().min(1),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  labels: TextMap.nullish().transform((labels) => labels ?? {}),
  annotations: TextMap.nullish().transform((annotations) => annotations ?? {}),
  deletionTimestamp: z.string().optional(),
});

/** The name alone, for kinds that come by the ten thousand. */
export const NameOnly = z.object({ name: z.string().min(1) });

/** Any object, metadata alone. */
export const Named = z.object({ metadata: Metadata });
export type Named = z.infer<typeof Named>;

/** A ConfigMap's texts. */
export const ConfigMap = z.object({
  kind: z.literal('ConfigMap'),
  data: TextMap.nullish().transform((data) => new Map(Object.entries(data ?? {}))),
});

/** A container as far as flags, image and plain environment go. */
export const Container = z.object({
  name: z.string(),
  image: z.string().optional(),
  command: z.array(z.string()).nullish(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string().optional() })).nullish(),
});
export type Container = z.infer<typeof Container>;

/** Object path of a ConfigMap. */
export function configMapPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/configmaps/${name}`;
}
