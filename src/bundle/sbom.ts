// sbom/bundle.spdx.json: what is in a bundle in the form of SPDX 2.3, for those who must account for what crosses their border.
import { splitImage } from './images.ts';
import type { LockedImage } from './types.ts';

export interface SbomInput {
  readonly mesh: string;
  readonly isthmus: string;
  /** `2026-01-01T00:00:00Z` */
  readonly created: string;
  /** SHA-256, hex, of everything the document is about. */
  readonly digest: string;
  readonly files: readonly { readonly path: string; readonly sha1: string; readonly sha256: string }[];
  readonly images: readonly LockedImage[];
}

const none = 'NOASSERTION';

/**
 * The document as JSON text, the same for the same input: its identity follows from the digest.
 * https://spdx.github.io/spdx-spec/v2.3/
 */
export function spdxDocument(input: SbomInput): string {
  const bundle = 'SPDXRef-Bundle';
  const files = input.files.map(({ path, sha1, sha256 }, index) => ({
    SPDXID: `SPDXRef-File-${index + 1}`,
    fileName: `./${path}`,
    checksums: [
      { algorithm: 'SHA1', checksumValue: sha1 },
      { algorithm: 'SHA256', checksumValue: sha256 },
    ],
    licenseConcluded: none,
    copyrightText: none,
  }));
  const images = input.images.map((image, index) => imagePackage(image, `SPDXRef-Image-${index + 1}`));
  const relationship = (spdxElementId: string, relationshipType: string, relatedSpdxElement: string) => ({
    spdxElementId,
    relationshipType,
    relatedSpdxElement,
  });
  const document = {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `bundle of mesh ${input.mesh}`,
    documentNamespace: `urn:uuid:${uuidOf(input.digest)}`,
    creationInfo: { created: input.created, creators: [`Tool: isthmus-${input.isthmus}`] },
    packages: [{ ...packageOf(bundle, input.mesh), comment: 'Charts, manifests and scripts of a mesh' }, ...images],
    files,
    relationships: [
      relationship('SPDXRef-DOCUMENT', 'DESCRIBES', bundle),
      ...files.map(({ SPDXID }) => relationship(bundle, 'CONTAINS', SPDXID)),
      ...images.map(({ SPDXID }) => relationship(bundle, 'DEPENDS_ON', SPDXID)),
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function packageOf(SPDXID: string, name: string) {
  return { SPDXID, name, downloadLocation: none, filesAnalyzed: false, licenseConcluded: none, licenseDeclared: none, copyrightText: none };
}

function imagePackage({ image, digest }: LockedImage, SPDXID: string) {
  const { repository, tag } = splitImage(image);
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  const version = digest ?? tag;
  const query = [`repository_url=${encodeURIComponent(repository)}`, ...(tag === undefined ? [] : [`tag=${encodeURIComponent(tag)}`])];
  return {
    ...packageOf(SPDXID, image),
    ...(version === undefined ? {} : { versionInfo: version }),
    ...(digest === undefined ? {} : { checksums: [{ algorithm: 'SHA256', checksumValue: digest.slice('sha256:'.length) }] }),
    primaryPackagePurpose: 'CONTAINER',
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: `pkg:oci/${name}${digest === undefined ? '' : `@${encodeURIComponent(digest)}`}?${query.join('&')}`,
      },
    ],
  };
}

/** A UUID of version 8 (RFC 9562: its bits are the maker's own) from the first bits of a digest. */
function uuidOf(digest: string): string {
  const hex = `${digest.slice(0, 12)}8${digest.slice(13, 16)}${((Number.parseInt(digest.charAt(16), 16) & 0x3) | 0x8).toString(16)}${digest.slice(17, 32)}`;
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
