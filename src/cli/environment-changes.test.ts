import { expect, test } from 'vitest';
import { changeBody } from './environment-changes.ts';

test('what is asked for becomes the request of UpdateEnvironment', () => {
  expect(
    changeBody({
      airflowVersion: '2.11.2',
      class: 'mw1.large',
      set: ['core.parallelism=4', 'email.subject_template=a=b'],
      graceful: true,
    }),
  ).toEqual({
    AirflowVersion: '2.11.2',
    EnvironmentClass: 'mw1.large',
    AirflowConfigurationOptions: { 'core.parallelism': '4', 'email.subject_template': 'a=b' },
    WorkerReplacementStrategy: 'GRACEFUL',
  });
  expect(changeBody({ options: false })).toEqual({ AirflowConfigurationOptions: {} });
});

test('nothing to change, and an option without a value, are said', () => {
  expect(() => changeBody({ graceful: true })).toThrow('Nothing is to be changed.');
  for (const set of ['core.x', '=4'])
    expect(() => changeBody({ set: [set] })).toThrow(`--set ${set} has no value.`);
});
