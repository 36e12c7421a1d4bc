import { request } from 'node:https';

export interface Visit {
  /** Where the connection goes. */
  readonly address: string;
  readonly port: number;
  /** The name in the handshake; also in the Host header, with the port, when that does not say another. */
  readonly servername: string;
  readonly host?: string;
  readonly ca: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What came of it: a status with the names of cookies, or the code of the error that ended it. */
export type Visited =
  | { readonly status: number; readonly cookies: readonly string[]; readonly text: string }
  | { readonly error: string };

/** One request to an address under a name. */
export const visit = (v: Visit): Promise<Visited> =>
  new Promise((resolve) => {
    const sent = request(
      {
        ...{
          host: v.address,
          port: v.port,
          servername: v.servername,
          ca: v.ca,
          agent: false,
          timeout: 4_000,
        },
        ...{ path: v.path ?? '/', method: v.method ?? 'GET' },
        headers: { host: v.host ?? `${v.servername}:${v.port}`, ...v.headers },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('error', (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, cookies: answer.headers['set-cookie'] ?? [], text }),
        );
      },
    );
    sent.on('timeout', () => sent.destroy(Object.assign(new Error('no answer'), { code: 'TIMEOUT' })));
    sent.on('error', (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
    sent.end(v.body);
  });
