// nginx, three times: the upstream that serves files, the plain proxy, and the proxy that asks for the session.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Leaf } from '../src/tls/leaf.ts';

/** As large as a small answer of Airflow's REST API, and as a log or a large page of it. */
export const pages = { '/api/v2/dags': 2_000, '/api/v2/large': 2 * 1024 ** 2 } as const;

/** Never, for connections that are kept alive: neither side closes one while it is measured. */
const kept = 'keepalive_requests 1000000000; keepalive_timeout 600s;';

const main = (folder: string, http: string): string => `
${process.getuid?.() === 0 ? 'user root root;' : ''}
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${folder}/pid;
error_log ${folder}/errors.log;
events { worker_connections 19000; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((of) => `${of}_temp_path ${folder}/${of};`).join('\n  ')}
  ${kept}
  ${http}
}
`;

const filesOf = (folder: string, port: number): string => {
  mkdirSync(join(folder, 'api', 'v2'), { recursive: true });
  for (const [path, size] of Object.entries(pages))
    writeFileSync(join(folder, path), JSON.stringify({ dags: 'x'.repeat(size), total_entries: 1 }));
  return `
  default_type application/json;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=10;
  server { listen 127.0.0.1:${port} backlog=4096; root ${folder}; }`;
};

const upstreamOf = (name: string, port: number): string =>
  `upstream ${name} { server 127.0.0.1:${port}; keepalive 64; ${kept} }`;

const tlsOf = (folder: string, port: number, leaf: Leaf): string => {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(cert, leaf.chainPem);
  writeFileSync(key, leaf.keyPem, { mode: 0o600 });
  return `
    listen 127.0.0.1:${port} ssl backlog=4096;
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.3;`;
};

const pass = (upstream: string): string => `
      proxy_pass http://${upstream};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto https;`;

const proxyOf = (folder: string, o: { port: number; upstream: number; leaf: Leaf }): string => `
  ${upstreamOf('airflow', o.upstream)}
  server {
    ${tlsOf(folder, o.port, o.leaf)}
    location / { ${pass('airflow')} }
  }`;

/** What people build: a helper says for each request who is signed in, and Airflow is told by headers. */
const askingProxyOf = (
  folder: string,
  o: { port: number; upstream: number; helper: number; leaf: Leaf },
): string => `
  ${upstreamOf('airflow', o.upstream)}
  ${upstreamOf('helper', o.helper)}
  server {
    ${tlsOf(folder, o.port, o.leaf)}
    location / {
      auth_request /session;
      auth_request_set $user $upstream_http_x_user;
      auth_request_set $roles $upstream_http_x_roles;
      proxy_set_header Remote-User $user;
      proxy_set_header X-Roles $roles;
      ${pass('airflow')}
    }
    location = /session {
      internal;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URI $request_uri;
      ${pass('helper')}
    }
  }`;

const answers = async (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy()).once('error', () => resolve(false));
    socket.once('close', () => resolve(true));
  });

/** Starts nginxes, each with a folder of its own in `folder`. */
export const nginxes = (program: string, folder: string) => {
  const start = async (name: string, port: number, http: (own: string) => string): Promise<ChildProcess> => {
    const own = join(folder, name);
    mkdirSync(own, { recursive: true });
    writeFileSync(join(own, 'nginx.conf'), main(own, http(own)));
    const log = join(own, 'errors.log');
    const child = spawn(program, ['-p', own, '-e', log, '-c', join(own, 'nginx.conf')], { stdio: 'inherit' });
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`nginx ended at once: ${log}`);
      await delay(50);
    }
    return child;
  };
  return {
    files: (port: number) => start('upstream', port, (own) => filesOf(own, port)),
    proxy: (o: Parameters<typeof proxyOf>[1]) => start('proxy', o.port, (own) => proxyOf(own, o)),
    askingProxy: (o: Parameters<typeof askingProxyOf>[1]) =>
      start('asking', o.port, (own) => askingProxyOf(own, o)),
  };
};
