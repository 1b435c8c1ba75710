// Makes the certificates of a mesh: a self-signed root, and intermediates with which istiod signs those of workloads.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { promisify } from 'node:util';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import { failure } from '../base/errors.ts';

/** As Istio's own scripts make them, in days. Without the root nothing is signed, so an intermediate never outlives it. */
const lifetimeDays = 3650;
const dayMs = 86_400_000;
/** Nodes whose clocks are behind would refuse a certificate that begins now; milliseconds. */
const clockSlackMs = 3_600_000;
/** The size that Istio's own scripts choose; every Istio and Envoy takes RSA. */
const modulusLength = 4096;

const attributes = { commonName: '2.5.4.3', locality: '2.5.4.7', organization: '2.5.4.10' } as const;
/** RFC 4055 demands the NULL that RFC 5758 forbids for ECDSA. */
const signatures: Readonly<Record<string, AlgorithmIdentifier>> = {
  rsa: new AlgorithmIdentifier({ algorithm: '1.2.840.113549.1.1.11', parameters: null }),
  ec: new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' }),
};

/** A certificate and its private key, both PEM; the key is PKCS #8 without a passphrase, as istiod needs it. */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a self-signed root for the mesh of this name, valid for ten years from `now`. */
export async function createRoot(mesh: string, now: Date): Promise<KeyedCertificate> {
  const key = await newKey();
  const subject = nameOf({ organization: mesh, commonName: 'Root CA' });
  const validity = validityFrom(now);
  const issuer = { key, subject, keyIdentifier: keyIdentifierOf(key) };
  return issue(issuer, { key, subject, validity, extensions: [caExtension({}), usageExtension()] });
}

export interface IntermediateOptions {
  readonly mesh: string;
  readonly cluster: string;
  /** Name of istiod's Service, `istiod.istio-system.svc`. */
  readonly dnsName: string;
  readonly now: Date;
}

/**
 * Makes an intermediate that may sign workload certificates and no further authority. It ends with the root at the latest.
 * @throws IsthmusError when the key of the root is neither RSA nor ECDSA
 */
export async function createIntermediate(root: KeyedCertificate, options: IntermediateOptions): Promise<KeyedCertificate> {
  const { mesh, cluster, dnsName, now } = options;
  const key = await newKey();
  const parsed = new X509Certificate(root.certificate);
  const { tbsCertificate } = AsnConvert.parse(parsed.raw, Certificate);
  const rootKey = createPrivateKey(root.key);
  const issuer = { key: rootKey, subject: tbsCertificate.subject, keyIdentifier: identifierIn(tbsCertificate) ?? keyIdentifierOf(rootKey) };
  const names = new SubjectAlternativeName([new GeneralName({ dNSName: dnsName })]);
  return issue(issuer, {
    key,
    subject: nameOf({ organization: mesh, locality: cluster, commonName: 'Intermediate CA' }),
    validity: validityFrom(now, new Date(parsed.validTo)),
    extensions: [caExtension({ pathLenConstraint: 0 }), usageExtension(), extension(id_ce_subjectAltName, names)],
  });
}

interface Issuer {
  readonly key: KeyObject;
  readonly subject: Name;
  readonly keyIdentifier: ArrayBuffer;
}

interface Wanted {
  readonly key: KeyObject;
  readonly subject: Name;
  readonly validity: Validity;
  readonly extensions: readonly Extension[];
}

function issue(issuer: Issuer, { key, subject, validity, extensions }: Wanted): KeyedCertificate {
  const signature = signatures[issuer.key.asymmetricKeyType ?? ''];
  if (signature === undefined) throw failure(`cannot sign with a key of type ${issuer.key.asymmetricKeyType}; RSA and ECDSA are known`);
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: newSerialNumber(),
    signature,
    issuer: issuer.subject,
    validity,
    subject,
    subjectPublicKeyInfo: publicKeyInfo(key),
    extensions: new Extensions([
      ...extensions,
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifierOf(key))),
      extension(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(issuer.keyIdentifier) })),
    ]),
  });
  const signatureValue = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), issuer.key);
  const certificate = new Certificate({ tbsCertificate, signatureAlgorithm: signature, signatureValue: bytesOf(signatureValue) });
  const pem = new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))).toString();
  return { certificate: pem, key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

async function newKey(): Promise<KeyObject> {
  return (await promisify(generateKeyPair)('rsa', { modulusLength })).privateKey;
}

/** Sixteen random bytes, positive and of full length. */
function newSerialNumber(): ArrayBuffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytesOf(bytes);
}

function validityFrom(now: Date, latest = new Date(now.getTime() + lifetimeDays * dayMs)): Validity {
  const end = Math.min(now.getTime() + lifetimeDays * dayMs, latest.getTime());
  return new Validity({ notBefore: new Date(now.getTime() - clockSlackMs), notAfter: new Date(end) });
}

function nameOf(parts: Partial<Record<keyof typeof attributes, string>>): Name {
  const names = (['organization', 'locality', 'commonName'] as const).flatMap((part) => {
    const utf8String = parts[part];
    if (utf8String === undefined) return [];
    const value = new AttributeValue({ utf8String });
    return [new RelativeDistinguishedName([new AttributeTypeAndValue({ type: attributes[part], value })])];
  });
  return new Name(names);
}

function caExtension(limits: { readonly pathLenConstraint?: number }): Extension {
  return extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, ...limits }), true);
}

/** Certificates and revocation lists, and nothing else: istiod takes lists since 1.27, and they must be signed by this key. */
function usageExtension(): Extension {
  return extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true);
}

function extension(extnID: string, value: object, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function publicKeyInfo(key: KeyObject): SubjectPublicKeyInfo {
  return AsnConvert.parse(createPublicKey(key).export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo);
}

/** The first 160 bits of the SHA-256 of the public key, RFC 7093. */
function keyIdentifierOf(key: KeyObject): ArrayBuffer {
  const bits = Buffer.from(publicKeyInfo(key).subjectPublicKey);
  return bytesOf(createHash('sha256').update(bits).digest().subarray(0, 20));
}

function identifierIn({ extensions }: TBSCertificate): ArrayBuffer | undefined {
  const found = extensions?.find(({ extnID }) => extnID === id_ce_subjectKeyIdentifier);
  return found === undefined ? undefined : AsnConvert.parse(found.extnValue.buffer, SubjectKeyIdentifier).buffer;
}

function bytesOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
