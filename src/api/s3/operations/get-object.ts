import type { S3Operation } from '../operation.ts';
import { objectRead, readObject } from '../read-object.ts';

/** GetObject (Amazon S3 API reference). */
export const getObject: S3Operation = {
  ...objectRead,
  name: 'GetObject',
  binding: { method: 'GET', level: 'object' },
  execute: async (work) => {
    const read = await readObject(work);
    if ('answer' in read) return read.answer;
    const { version, range, status, headers } = read;
    return { status, headers, stream: await work.buckets.read(version, range) };
  },
};
