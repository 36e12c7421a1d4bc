// Runs on another host (a network namespace): makes the visit that is written on its standard input.
import { text } from 'node:stream/consumers';
import { type Visit, visit } from './visit.ts';

const wanted = JSON.parse(await text(process.stdin)) as Visit;
process.stdout.write(JSON.stringify(await visit(wanted)));
