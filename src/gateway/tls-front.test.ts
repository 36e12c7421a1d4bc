import { type AddressInfo, connect, createServer } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { newAuthority } from '../tls/authority.ts';
import { createTlsIdentity, type TlsIdentity } from '../tls/reload.ts';
import { Arrivals } from './arrivals.ts';
import { createTlsFront, type TlsFront } from './tls-front.ts';

let tls: TlsIdentity;
let front: TlsFront;
let port = 0;
const raw = createServer((socket) => front.accept(socket));

beforeAll(async () => {
  const authority = await newAuthority(Date.now());
  tls = await createTlsIdentity({ authority, clock: systemClock, log: silentLog });
  front = createTlsFront({
    tls,
    arrivals: new Arrivals({ perAddress: 100 }),
    onRequest: (_arrival, _req, res) => res.end('ok'),
    onUpgrade: (_arrival, _req, socket) => socket.destroy(),
    headersTimeout: 300,
  });
  await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
  port = (raw.address() as AddressInfo).port;
});
afterAll(async () => {
  front.close();
  tls.close();
  await new Promise((resolve) => raw.close(resolve));
});

it('cuts off a request whose headers never end', async () => {
  const got = await new Promise<string>((resolve) => {
    const socket = tlsConnect({ host: 'localhost', port, ca: tls.authority.rootPem }, () => {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nA: ');
      const drip = setInterval(() => socket.write('a'), 50);
      let text = '';
      socket.on('data', (d: Buffer) => {
        text += d.toString();
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(drip);
        resolve(text);
      });
    });
  });
  expect(got).toMatch(/^HTTP\/1\.1 408/);
}, 5000);

it('speaks nothing older than TLS 1.2', async () => {
  const outcome = await new Promise<string>((resolve) => {
    const o = {
      host: 'localhost',
      port,
      ca: tls.authority.rootPem,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
    } as const;
    const socket = tlsConnect({ ...o, ciphers: 'DEFAULT@SECLEVEL=0' }, () => resolve('connected'));
    socket.on('error', () => resolve('refused'));
  });
  expect(outcome).toBe('refused');
});

it('survives a client that goes away at once', async () => {
  await new Promise<void>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.write(Buffer.from([0x16, 0x03]));
      socket.resetAndDestroy();
      resolve();
    });
  });
  const answer = await new Promise<string>((resolve) => {
    const socket = tlsConnect({ host: 'localhost', port, ca: tls.authority.rootPem }, () => {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    });
    socket.once('data', (d: Buffer) => resolve(d.toString()));
  });
  expect(answer).toMatch(/^HTTP\/1\.1 200/);
});
