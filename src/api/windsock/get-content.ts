import { environmentNameInput } from '../../contract/shapes/environments.ts';
import type { BucketServer, ContentFile } from '../../environments/content.ts';
import { findEnvironment } from '../mwaa/find.ts';
import { onEnvironment } from '../mwaa/rights.ts';
import type { Operation, Output } from '../operation.ts';

const shown = ({ path, sha256, at, readAt, state, dags, leavingDags, error }: ContentFile): Output => ({
  Path: path,
  ...(sha256 === undefined ? {} : { Sha256: sha256 }),
  At: at / 1000,
  ...(readAt === undefined ? {} : { ReadAt: readAt / 1000 }),
  State: state,
  ...(dags ? { Dags: [...dags] } : {}),
  ...(leavingDags ? { LeavingDags: [...leavingDags] } : {}),
  ...(error
    ? { Error: { Message: error.message, ...(error.line === undefined ? {} : { Line: error.line }) } }
    : {}),
});

const serverOf = ({ endpoint, region, pathStyle }: BucketServer): Output => ({
  ...(endpoint === undefined ? {} : { Endpoint: endpoint }),
  Region: region,
  PathStyle: pathStyle,
});

/** The DAG files that are live in an environment, and what its Airflow made of each. */
export const getContent: Operation = {
  name: 'GetContent',
  input: environmentNameInput,
  action: 'windsock:GetContent',
  checks: onEnvironment('windsock:GetContent'),
  auditsSuccess: false,
  execute: async (call, deps) => {
    const environment = await findEnvironment(call, deps);
    const { version, since, followed, elsewhere, fault, files } = await deps.driver.content(environment);
    return {
      Version: version,
      Since: since / 1000,
      ...(followed === undefined ? {} : { FollowedFolder: followed }),
      ...(elsewhere === undefined ? {} : { BucketServer: serverOf(elsewhere) }),
      ...(fault === undefined ? {} : { Fault: { Since: fault.since / 1000, Message: fault.reason } }),
      Files: files.map(shown),
    };
  },
};
