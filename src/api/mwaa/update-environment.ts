import { environmentArn } from '../../contract/arn.ts';
import type { Checked } from '../../contract/constraints.ts';
import { validationException } from '../../contract/errors.ts';
import { updateEnvironmentInput } from '../../contract/shapes/environments.ts';
import type { DesiredChange } from '../../environments/ports.ts';
import type { EnvironmentRecord, EnvironmentSpec } from '../../environments/record.ts';
import { failpoint } from '../../lib/failpoint.ts';
import type { ApiDeps } from '../deps.ts';
import { type Call, type Operation, optionalString, stringMember } from '../operation.ts';
import { checkContent } from './check-content.ts';
import { checkStatus, stoppedText } from './check-status.ts';
import { claimCustomDomain } from './custom-domain.ts';
import { changedSpec } from './environment-spec.ts';
import { findEnvironment, findForChange } from './find.ts';
import { checkPassedRole, environmentContext, passRole } from './rights.ts';

/**
 * Another Airflow version changes the metadata database, so it is copied first and `spec` stays what it is until
 * then. All else is made true at once.
 */
const changeOf = (
  e: EnvironmentRecord,
  wanted: EnvironmentSpec,
  input: Checked,
  now: number,
): DesiredChange => {
  const strategy = input['WorkerReplacementStrategy'] === 'GRACEFUL' ? 'GRACEFUL' : 'FORCED';
  const copies = wanted.AirflowVersion !== e.spec.AirflowVersion;
  return {
    status: copies ? 'CREATING_SNAPSHOT' : 'UPDATING',
    spec: copies ? e.spec : wanted,
    update: { wanted, previous: e.spec, strategy },
    lastUpdate: {
      Status: 'PENDING',
      CreatedAt: now,
      ...(input['WorkerReplacementStrategy'] === undefined ? {} : { WorkerReplacementStrategy: strategy }),
    },
  };
};

/** What is stopped could not show that it starts with the change. */
const checkChangeable = (e: EnvironmentRecord): void => {
  checkStatus(e, 'update');
  if (e.suspended) throw validationException(stoppedText(e.name));
};

/** Writes the change with its audit entry, all or nothing. */
const write = (call: Call, wantedOf: (e: EnvironmentRecord) => EnvironmentSpec, deps: ApiDeps) =>
  deps.store.inTransaction(async (tx) => {
    const environment = await findForChange(call, deps, tx);
    checkChangeable(environment);
    const { id, generation, arn } = environment;
    const wanted = wantedOf(environment);
    await claimCustomDomain(tx, id, wanted, deps);
    const change = changeOf(environment, wanted, call.input, deps.clock.now());
    await deps.store.setDesired(tx, id, generation, change);
    await deps.audit.write(call.auditEntry({ environmentId: id, responseElements: { Arn: arn } }), tx);
    failpoint('update:before-commit');
    return environment;
  });

/** Writes down what is wanted from now on and wakes the loop that makes it true, or brings back what was there. */
export const updateEnvironment: Operation = {
  name: 'UpdateEnvironment',
  input: updateEnvironmentInput,
  action: 'airflow:UpdateEnvironment',
  checks: async ({ input, ...scope }, deps) => {
    const name = stringMember(input, 'Name');
    const arn = environmentArn(scope, name);
    const role = optionalString(input, 'ExecutionRoleArn');
    const context = await environmentContext(name, deps);
    return [
      { action: 'airflow:UpdateEnvironment', resources: [arn], context },
      ...(role === undefined ? [] : [passRole(role, arn)]),
    ];
  },
  auditsSuccess: true,
  execute: async (call, deps) => {
    const { Name: _, WorkerReplacementStrategy: __, ...changes } = call.input;
    checkPassedRole(optionalString(call.input, 'ExecutionRoleArn'), deps);
    const wantedOf = ({ spec }: EnvironmentRecord) => changedSpec(spec, changes, deps);
    const found = await findEnvironment(call, deps);
    checkChangeable(found);
    await checkContent(wantedOf(found), deps);
    const { arn } = await write(call, wantedOf, deps);
    failpoint('update:after-commit');
    return { Arn: arn };
  },
};
