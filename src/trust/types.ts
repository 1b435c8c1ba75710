// The folder of certificates that `isthmus ca init` writes, file by file.

/** Files of the root, at the top of the folder. */
export const rootFiles = { certificate: 'root-cert.pem', key: 'root-key.pem' } as const;

/** Files of one cluster, in the folder of its name; they are the keys of Istio's Secret `cacerts`. */
export const signerFiles = ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'] as const;

/** What istiod of one cluster signs with: the contents by name of file. */
export type Signer = Readonly<Record<(typeof signerFiles)[number], string>>;
