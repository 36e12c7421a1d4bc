// Loaded into a server before everything else: its wall clock is off by the milliseconds in a file, read again and
// again. The monotonic clocks stay as they are, as when somebody sets the time of a machine.
import { readFileSync } from 'node:fs';

const file = process.env.MOVED_CLOCK;
const RealDate = Date;
let offset = 0;
let readAt = Number.NEGATIVE_INFINITY;

const moved = () => {
  if (performance.now() - readAt > 5) {
    readAt = performance.now();
    try {
      offset = Number(readFileSync(file, 'utf8')) || 0;
    } catch {
      offset = 0;
    }
  }
  return RealDate.now() + offset;
};

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, wanted) =>
    Reflect.construct(target, args.length === 0 ? [moved()] : args, wanted),
  apply: () => new RealDate(moved()).toString(),
  get: (target, name) => (name === 'now' ? moved : Reflect.get(target, name)),
});
