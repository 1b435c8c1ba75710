// Where things are in a bundle, and which names it may hold at all.

/** Files of a bundle by name. */
export const bundleFiles = {
  manifest: 'bundle.yaml',
  signature: 'bundle.yaml.sig',
  checksums: 'checksums.txt',
  releases: 'releases.yaml',
  imageLock: 'images/images.lock.yaml',
  imageList: 'images/images.txt',
  imageRewrite: 'images/rewrite.yaml',
  sbom: 'sbom/bundle.spdx.json',
} as const;

/** The images themselves, in the layout of the OCI image specification. */
export const ociFolder = 'images/oci/';

/** What checksums.txt cannot hold: itself, the file with its digest, and the signature of that. */
export const outsideChecksums: ReadonlySet<string> = new Set([bundleFiles.checksums, bundleFiles.manifest, bundleFiles.signature]);

/** The scripts; nothing else in a bundle may be executable. */
export const executables: ReadonlySet<string> = new Set(['install.sh', 'verify.sh']);

const layout: readonly RegExp[] = [
  /^(?:bundle\.yaml(?:\.sig)?|checksums\.txt|README\.md|install\.sh|verify\.sh)$/,
  /^(?:mesh|plan|releases)\.yaml$|^topology\.svg$/,
  /^facts\/[^/]+\.yaml$/,
  /^charts\/[^/]+\.tgz$/,
  /^values\/[^/]+\/[^/]+\.yaml$/,
  /^manifests\/[^/]+\/[0-9]{2}-[a-z]+\/[^/]+\.yaml$/,
  /^images\/(?:images\.lock\.yaml|images\.txt|rewrite\.yaml)$/,
  /^images\/oci\/(?:oci-layout|index\.json|blobs\/sha256\/[0-9a-f]{64})$/,
  /^sbom\/bundle\.spdx\.json$/,
];

/** Whether a bundle may hold a file of this name. */
export function isKnownPath(path: string): boolean {
  return layout.some((pattern) => pattern.test(path));
}
