import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import type { Place } from './server.ts';
import { statusOf } from './socket.ts';

/** A WebSocket on the wire: what came of the handshake, and the bytes after it. */
export class WireSocket {
  readonly closed: Promise<void>;
  readonly #socket: TLSSocket;
  #received = Buffer.alloc(0);

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  send(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  /** Everything received since the last call, once there is as much as that; what there is when it is closed. */
  async receive(length: number): Promise<Buffer> {
    while (this.#received.length < length && !this.#socket.closed)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const taken = this.#received;
    this.#received = Buffer.alloc(0);
    return taken;
  }

  /** The status of the handshake and its text; nothing is left of it in `receive`. */
  async handshake(): Promise<{ readonly status: number; readonly text: string }> {
    let text = '';
    while (!text.includes('\r\n\r\n') && !this.#socket.closed)
      text += (await this.receive(1)).toString('latin1');
    return { status: statusOf(text), text };
  }

  end(): void {
    this.#socket.destroy();
  }
}

/** Asks for a WebSocket at a door; `headers` come after those of the handshake (RFC 6455, 4.1). */
export const openSocket = (
  place: Place,
  hostname: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): WireSocket => {
  const [host, port] = hostname.split(':');
  const ca = readFileSync(join(place.data, 'ca.pem'));
  const socket = new WireSocket(connect({ host, port: Number(port), ca, servername: 'localhost' }));
  const own = {
    host: hostname,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const lines = Object.entries({ ...own, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.send(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  return socket;
};
