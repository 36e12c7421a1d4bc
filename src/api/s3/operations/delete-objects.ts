import { type ObjectToDelete, readDelete } from '../../../bucket/read-delete.ts';
import { mostXmlBytes } from '../../../bucket/read-xml.ts';
import { AwsError } from '../../../contract/errors.ts';
import { slices } from '../../../lib/turns.ts';
import { bucketOf, onObject } from '../asked.ts';
import { bodyHeaders, readSmallBody } from '../body.ts';
import { checkDeleteCondition } from '../conditions.ts';
import type { S3Operation, Work } from '../operation.ts';
import { checkIsPossible, decide, deleteCheck, refusal } from '../rights.ts';
import { group, text, xmlDocument } from '../xml.ts';

type Outcome =
  | { readonly named: ObjectToDelete; readonly error: AwsError; readonly isDenied: boolean }
  | { readonly named: ObjectToDelete; readonly deleted: Awaited<ReturnType<Work['buckets']['delete']>> };

/** Each key is a request of its own: for the policies, for the record, and when it fails. */
const deleteOne = async (work: Work, named: ObjectToDelete): Promise<Outcome> => {
  const { key, versionId, ifMatch } = named;
  const asked = { ...work, request: { ...work.request, key } };
  // whoever gives an ETag learns whether it is that of the object
  const checks = [
    deleteCheck(asked, versionId, ifMatch),
    ...(ifMatch === undefined ? [] : [onObject(asked, 's3:GetObject')]),
  ];
  for (const check of checks) {
    const decision = await decide(work, check);
    if (!decision.allowed) return { named, error: refusal(work, check, decision), isDenied: true };
  }
  try {
    checkDeleteCondition(versionId, ifMatch);
    const deleted = await work.buckets.delete({
      ...{ bucket: work.request.bucket, key, versionId },
      ...(ifMatch === undefined ? {} : { ifMatch }),
      record: (tx, change) => work.recordAs({ key, versionId }, tx, change),
    });
    return { named, deleted };
  } catch (error) {
    if (!(error instanceof AwsError) || error.httpStatus === 500 || error.httpStatus === 503) throw error;
    return { named, error, isDenied: false };
  }
};

const element = (outcome: Outcome): string => {
  const { key, versionId } = outcome.named;
  const about = text('Key', key) + text('VersionId', versionId);
  if ('error' in outcome) {
    const code = outcome.isDenied ? 'AccessDenied' : outcome.error.code;
    return group('Error', about, text('Code', code), text('Message', outcome.error.publicText));
  }
  const { isMarker, versionId: made } = outcome.deleted;
  return group(
    'Deleted',
    about,
    text('DeleteMarker', isMarker ? true : undefined),
    text('DeleteMarkerVersionId', isMarker ? made : undefined),
  );
};

/** Refused keys are recorded together, when all is done. */
const recordRefused = async (work: Work, outcomes: readonly Outcome[]): Promise<void> => {
  const denied = outcomes.flatMap((o) => ('error' in o && o.isDenied ? [o] : []));
  const [first] = denied;
  if (!first) return;
  const entry = work.call.auditEntry({});
  const keys = denied.map(({ named }) => named.key);
  await work.deps.audit.write({
    ...entry,
    requestParameters: { ...entry.requestParameters, keys },
    ...{ errorCode: first.error.code, errorMessage: first.error.publicText },
  });
};

/** DeleteObjects: up to 1,000 keys, each deleted by whoever may delete that one. */
export const deleteObjects: S3Operation = {
  name: 'DeleteObjects',
  binding: { method: 'POST', level: 'bucket', by: 'delete' },
  // nothing is locked here, so nothing is bypassed
  headers: [...bodyHeaders, 'x-amz-bypass-governance-retention'],
  readOnly: false,
  isDataEvent: true,
  // decided for each key
  checks: () => [],
  execute: async (work) => {
    await bucketOf(work);
    const anyKey = { ...work, request: { ...work.request, key: '*' } };
    await checkIsPossible(work, [deleteCheck(anyKey, undefined), deleteCheck(anyKey, '*')]);
    const { objects: named, isQuiet } = await readDelete(await readSmallBody(work, { most: mostXmlBytes }));
    const pause = slices();
    const outcomes: Outcome[] = [];
    for (const one of named) {
      await pause();
      outcomes.push(await deleteOne(work, one));
    }
    await recordRefused(work, outcomes);
    const told = isQuiet ? outcomes.filter((outcome) => 'error' in outcome) : outcomes;
    return { xml: xmlDocument('DeleteResult', ...told.map(element)) };
  },
};
