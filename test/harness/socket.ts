import { readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import type { Place } from './server.ts';

const collect = (
  socket: NodeJS.ReadWriteStream & { destroy(): void },
  bytes: string | Buffer,
  seconds: number,
): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    const timer = setTimeout(() => socket.destroy(), seconds * 1000);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
    socket.write(bytes);
  });

const parts = (hostname: string): { host: string; port: number } => {
  const [host = 'localhost', port] = hostname.split(':');
  return { host, port: Number(port) };
};

/** Sends exactly these bytes over TLS and gives all that comes back until the other side closes, or the time is over. */
export const exchange = (
  place: Place,
  hostname: string,
  bytes: string | Buffer,
  seconds = 5,
): Promise<string> =>
  collect(
    connect({ ...parts(hostname), ca: readFileSync(join(place.data, 'ca.pem')), servername: 'localhost' }),
    bytes,
    seconds,
  );

/** The same without TLS. */
export const exchangePlain = (hostname: string, bytes: string, seconds = 5): Promise<string> =>
  collect(connectPlain(parts(hostname)), bytes, seconds);

/** The status of an HTTP answer; 0 when there is none. */
export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
