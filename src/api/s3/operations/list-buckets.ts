import type { Bucket } from '../../../bucket/objects.ts';
import { notImplemented } from '../errors.ts';
import { ownerElement } from '../lists.ts';
import type { S3Operation } from '../operation.ts';
import { group, text, xmlDocument, xmlTime } from '../xml.ts';

const shown = ({ name, createdAt }: Bucket): string =>
  group('Bucket', text('Name', name), text('CreationDate', xmlTime(createdAt)));

/** ListBuckets (Amazon S3 API reference): all of them, to whoever may list them. */
export const listBuckets: S3Operation = {
  name: 'ListBuckets',
  binding: { method: 'GET', level: 'service' },
  query: ['prefix', 'max-buckets', 'continuation-token', 'bucket-region'],
  readOnly: true,
  isDataEvent: false,
  // a policy may say either * or this
  checks: () => [{ action: 's3:ListAllMyBuckets', resources: ['arn:aws:s3:::*'] }],
  execute: async ({ request: { query }, buckets, deps }) => {
    if (query.has('continuation-token')) throw notImplemented('The parameter continuation-token');
    const [prefix, region] = [query.get('prefix') ?? '', query.get('bucket-region') ?? deps.region];
    const found = (await buckets.list()).filter(
      ({ name }) => region === deps.region && name.startsWith(prefix),
    );
    if (Number(query.get('max-buckets') ?? Number.POSITIVE_INFINITY) < found.length)
      throw notImplemented('The parameter max-buckets');
    return {
      xml: xmlDocument(
        'ListAllMyBucketsResult',
        ownerElement(deps.accountId),
        group('Buckets', ...found.map(shown)),
        text('Prefix', query.get('prefix')),
      ),
    };
  },
};
