// Connections that have done one request and stay: forked by bench/gateway.ts with an origin, a number and headers.
import { connect, type TLSSocket } from 'node:tls';

const [port, count] = [Number(process.argv[2]), Number(process.argv[3])];
const headers = JSON.parse(process.argv[4] ?? '{}') as Record<string, string>;
/** Connections from one source address. */
const fromOne = 1000;
/** Milliseconds until a connection asks once more, as long as others are still being opened: the door keeps one for 30 s. */
const askAgain = 15_000;
/** Handshakes at the same time. */
const atOnce = 64;

const request = [
  'GET /api/v2/dags HTTP/1.1',
  ...Object.entries({ Host: 'localhost', ...headers }).map((h) => h.join(': ')),
];
const sent = `${request.join('\r\n')}\r\n\r\n`;

const open = (i: number): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const localAddress = `127.0.0.${2 + Math.floor(i / fromOne)}`;
    const socket = connect({ host: '127.0.0.1', port, localAddress, rejectUnauthorized: false } as object);
    socket.once('secureConnect', () => socket.write(sent));
    socket.once('error', reject);
    socket.once('data', (bytes) => {
      if (!String(bytes).startsWith('HTTP/1.1 200')) reject(new Error(String(bytes)));
      resolve(socket);
    });
    socket.once('close', () => reject(new Error('a connection was closed at once')));
  });

process.on('disconnect', () => process.exit());
const sockets: TLSSocket[] = [];
const timers: NodeJS.Timeout[] = [];
let next = 0;
const opener = async (): Promise<void> => {
  while (next < count) {
    next += 1;
    const socket = (await open(next - 1)).resume();
    sockets.push(socket);
    timers.push(setInterval(() => socket.write(sent), askAgain));
  }
};
await Promise.all(Array.from({ length: atOnce }, opener));
for (const timer of timers) clearInterval(timer);
process.send?.('open');
process.once('message', () => process.send?.(sockets.filter((socket) => !socket.destroyed).length));
