import { connect, createServer } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { t, three, two, useDoors } from './test-clients.ts';
import { recordOf } from './test-door.ts';

useDoors();

describe('the listener', () => {
  const raw = (text: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = tlsConnect({ host: 'localhost', port: two.port, ca: t.authority.rootPem }, () =>
        socket.write(text),
      );
      let got = '';
      socket.on('data', (d: Buffer) => {
        got += d.toString();
      });
      socket.on('close', () => resolve(got));
      socket.on('error', () => resolve(got));
      setTimeout(() => socket.destroy(), 1500);
    });
  const statusOf = async (text: string) => (await raw(text)).split(' ')[1];
  const host = () => `Host: ${two.hostname}\r\n`;

  it('refuses what parsers may read differently', async () => {
    expect(await statusOf(`GET / HTTP/1.1\r\n${host()}Host: evil\r\nConnection: close\r\n\r\n`)).toBe('400');
    expect(
      await statusOf(
        `GET / HTTP/1.1\r\n${host()}Authorization: a\r\nAuthorization: b\r\nConnection: close\r\n\r\n`,
      ),
    ).toBe('400');
    expect(await statusOf(`GET / HTTP/1.1\r\n${host()}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`)).toBe(
      '400',
    );
    expect(await statusOf(`GET https://evil/x HTTP/1.1\r\n${host()}Connection: close\r\n\r\n`)).toBe('421');
    expect(await statusOf(`GET /x#y HTTP/1.1\r\n${host()}Connection: close\r\n\r\n`)).toBe('400');
    expect(await statusOf(`GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`)).toBe('421');
    expect(await statusOf('GET / HTTP/1.0\r\n\r\n')).toBe('400');
    expect(await statusOf(`TRACE / HTTP/1.1\r\n${host()}Connection: close\r\n\r\n`)).toBe('405');
    expect(await statusOf(`CONNECT x:1 HTTP/1.1\r\n${host()}\r\n`)).toBe('405');
    const many = 'A: b\r\n'.repeat(1001);
    expect(await statusOf(`GET / HTTP/1.1\r\n${host()}${many}Connection: close\r\n\r\n`)).toBe('431');
  });

  it('tells plain HTTP to use https', async () => {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: two.port }, () =>
        socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      );
      socket.once('data', (d) => resolve(d.toString()));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*https:\/\//);
  });

  it('answers on both loopback families, and counts a port that lacks one as taken', async () => {
    for (const address of ['127.0.0.1', '::1']) {
      const answer = await t.ask(two.port, {
        host: address,
        servername: 'localhost',
        headers: { host: two.hostname },
      });
      expect(answer.status).toBe(401);
    }
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(three.port + 1, '::1', resolve));
    const next = await t.open(recordOf('cccccccccccc', 'third', '3.3.1'));
    expect(next.port).toBe(three.port + 2);
    const known = {
      ...recordOf('dddddddddddd', 'fourth', '3.3.1'),
      webserverHostname: `localhost:${three.port + 1}`,
    };
    await expect(t.open(known)).rejects.toThrow(/Port \d+ .* environment fourth, is taken/);
    await new Promise((resolve) => squatter.close(resolve));
    expect((await t.open(known)).hostname).toBe(known.webserverHostname);
    const { door } = t.gateway;
    const open = { ...known, spec: { ...known.spec, WebserverAccessMode: 'PUBLIC_ONLY' } };
    expect(door.stateOf(open)).toBe('outdated');
    await door.open(open);
    expect([door.stateOf(open), door.stateOf(known)]).toEqual(['open', 'outdated']);
    await door.open(known);
    await t.gateway.door.close('cccccccccccc');
    expect([
      t.gateway.door.stateOf(recordOf('cccccccccccc', 'third', '3.3.1')),
      t.gateway.door.stateOf(known),
    ]).toEqual(['closed', 'open']);
    await expect(t.ask(next.port)).rejects.toThrow(/ECONNREFUSED/);
  });
});
