import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { checkServerIdentity, connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';

export interface Visit {
  /** Where the connection goes. */
  readonly address: string;
  readonly port: number;
  /** The name in the handshake, none when empty; also in the Host header, with the port, when that says no other. */
  readonly servername: string;
  readonly host?: string;
  readonly ca: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The name that the certificate must be for, where that is neither of these. */
  readonly certified?: string;
  /** From where the connection comes. */
  readonly localAddress?: string;
  /** Bytes before the handshake, in base64, each piece by itself. */
  readonly preface?: readonly string[];
}

/** An answer. */
export interface Seen {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly cookies: readonly string[];
  readonly text: string;
}

/** What came of it: an answer, or the code of the error that ended it. */
export type Visited = Seen | { readonly error: string };

/**
 * TLS to an address under a name. The certificate must be for the name in the handshake, or for the one in the Host
 * header where that has none.
 */
export const openTls = async (v: Visit): Promise<TLSSocket> => {
  const { address: host, port, ca, servername, localAddress } = v;
  const socket = connect({ host, port, noDelay: true, ...(localAddress ? { localAddress } : {}) });
  await once(socket, 'connect');
  const closed = new Promise<never>((_, reject) =>
    socket.once('close', () => reject(Object.assign(new Error('cut'), { code: 'ECONNRESET' }))),
  );
  closed.catch(() => {});
  for (const piece of v.preface ?? []) {
    socket.write(Buffer.from(piece, 'base64'));
    await delay(10);
  }
  const name = v.certified ?? (servername || (v.host ?? '').replace(/:.*/, ''));
  const checkName = (_: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate);
  const secure = connectTls({ socket, ca, servername, checkServerIdentity: checkName });
  socket.once('error', (error) => secure.destroy(error));
  await Promise.race([once(secure, 'secureConnect'), closed]);
  return secure;
};

/** The status of an answer, or the code of the error in its place. */
export const statusOf = (visited: Visited): number | string =>
  'status' in visited ? visited.status : visited.error;

const errorCode = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
};

/** One request over a connection. */
export const ask = (v: Visit, connection: TLSSocket): Promise<Visited> =>
  new Promise((resolve) => {
    const sent = request(
      {
        ...{ timeout: 4_000, createConnection: () => connection },
        ...{ path: v.path ?? '/', method: v.method ?? 'GET' },
        headers: { host: v.host ?? `${v.servername}:${v.port}`, ...v.headers },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('error', (error) => resolve({ error: errorCode(error) }));
        answer.on('end', () => {
          const { statusCode: status = 0, headers } = answer;
          resolve({ status, headers, cookies: headers['set-cookie'] ?? [], text });
        });
      },
    );
    sent.on('timeout', () => sent.destroy(Object.assign(new Error('no answer'), { code: 'TIMEOUT' })));
    sent.on('error', (error) => resolve({ error: errorCode(error) }));
    sent.end(v.body);
  });

/** One request to an address under a name. */
export const visit = async (v: Visit): Promise<Visited> => {
  const silent = delay(5_000, 'TIMEOUT' as const, { ref: false });
  try {
    const connection = await Promise.race([openTls(v), silent]);
    return connection === 'TIMEOUT' ? { error: connection } : await ask(v, connection);
  } catch (error) {
    return { error: errorCode(error) };
  }
};
