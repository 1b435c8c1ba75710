// Looks at the certificate of a server that was not trusted, to tell people its dates.
import { connect, type PeerCertificate } from 'node:tls';

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
  readonly servername: string | undefined;
}

/** The certificate that the server shows; undefined when it shows none in time. Nothing is sent over this connection. */
export async function certificateOf({ host, port, servername }: PeerAddress, timeoutMs: number): Promise<PeerCertificate | undefined> {
  return new Promise((resolve) => {
    // Trust does not matter: the certificate has been refused already and is only shown.
    const socket = connect({ host, port, rejectUnauthorized: false, ...(servername === undefined ? {} : { servername }) });
    const finish = (certificate?: PeerCertificate) => {
      socket.destroy();
      resolve(certificate);
    };
    socket.setTimeout(timeoutMs, () => finish());
    socket.once('error', () => finish());
    socket.once('secureConnect', () => finish(socket.getPeerCertificate()));
  });
}
