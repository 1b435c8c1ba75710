// The library: the same stages as the command line, as functions over plain data.
export { exitCodes, IsthmusError } from './base/errors.ts';
export { isthmusVersion } from './base/version.ts';
export { type CopiedImages, type CopyDeps, type CopyRequest, copyImages } from './bundle/copy-images.ts';
export { bundleDocuments } from './bundle/documents.ts';
export type { ImageUses } from './bundle/images.ts';
export { type ManifestInput, renderManifests } from './bundle/manifests.ts';
export { type BundleParts, bundleEntries, type PackInput, type PreparedBundle, prepareBundle } from './bundle/pack.ts';
export { readBundle } from './bundle/read.ts';
export type { Bundle, BundleManifest, ImageLock, ImageRewrite } from './bundle/types.ts';
export { type WriteRequest, writeBundle } from './bundle/write.ts';
export { declaredFacts } from './facts/declared.ts';
export { formatFacts, parseFacts } from './facts/file.ts';
export { inspectCluster } from './facts/inspect.ts';
export type { ClusterFacts, NodeFacts } from './facts/schema.ts';
export { allFindingKinds } from './findings/index.ts';
export type { Finding, FindingKind, Severity } from './findings/types.ts';
export { planMesh } from './plan/mesh.ts';
export type { ClusterInput, ClusterPlan, Ilb, MeshPlan, PlannedRelease, RemoteSecret, Route } from './plan/types.ts';
export { packGenerated, packGeneric } from './publish/packages.ts';
export { publishToRegistry, type RegistryOptions } from './publish/registry.ts';
export { publishToFolder, type RepositoryOptions } from './publish/repository.ts';
export type { ChartPackage, PublishDeps, PublishedChart } from './publish/types.ts';
export { install } from './release/install.ts';
export { type Preview, previewInstall } from './release/preview.ts';
export { readGenerated } from './release/read.ts';
export { type RotateOptions, rotateSecrets } from './release/rotate.ts';
export type {
  GeneratedMesh,
  InstallOptions,
  ProgressEvent,
  Release,
  ReleaseDeps,
  ReleaseResult,
  UninstallOptions,
} from './release/types.ts';
export { uninstall } from './release/uninstall.ts';
export { renderMesh } from './render/mesh.ts';
export { describePlan } from './render/plan-text.ts';
export { topologySvg } from './render/topology.ts';
export type { Artifact, ChartSources, ReleaseIndex, TemplateSources } from './render/types.ts';
export { meshJsonSchema } from './spec/json-schema.ts';
export { loadMesh } from './spec/load.ts';
export type { Cluster, Era, LoadedMesh, Mesh } from './spec/schema.ts';
export { createSystem } from './system/index.ts';
export type { ClusterAccess, ClusterClient, ClusterReader, System } from './system/types.ts';
export type { Check, PairResult, VerifyResult } from './verify/types.ts';
export { type VerifyOptions, verifyMesh } from './verify/verify.ts';
