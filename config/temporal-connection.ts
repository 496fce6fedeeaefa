import type { TemporalConfig } from './config.ts';

/** How to reach the Temporal server, as its clients and its workers take it. */
export interface TemporalConnection {
  readonly address: string;
  readonly apiKey?: string;
  readonly tls?: {
    readonly serverNameOverride?: string;
    readonly serverRootCACertificate?: Buffer;
    readonly clientCertPair?: { readonly crt: Buffer; readonly key: Buffer };
  };
}

/** The connection options of the configuration; holds secrets, so it is made where it is used and never printed. */
export function temporalConnection({ address, apiKey, tls }: TemporalConfig): TemporalConnection {
  return {
    address,
    ...(apiKey === null ? {} : { apiKey: apiKey.reveal() }),
    ...(tls === null
      ? {}
      : {
          tls: {
            ...(tls.serverName === null ? {} : { serverNameOverride: tls.serverName }),
            ...(tls.serverCaPem === null ? {} : { serverRootCACertificate: Buffer.from(tls.serverCaPem) }),
            ...(tls.client === null
              ? {}
              : {
                  clientCertPair: {
                    crt: Buffer.from(tls.client.certPem),
                    key: Buffer.from(tls.client.keyPem.reveal()),
                  },
                }),
          },
        }),
  };
}
