// Names of sessions: what STS takes, whatever a DAG is called, and with the environment in front.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sessionNameOf, toldTask } from './session-name.ts';

const environment = fc.stringMatching(/^[a-zA-Z][0-9a-zA-Z_-]{0,79}$/);

test('every name is one that STS takes, and begins with its environment', () => {
  fc.assert(
    fc.property(environment, fc.option(fc.tuple(fc.string(), fc.string())), (name, told) => {
      const task = told === null ? undefined : { dagId: told[0], taskId: told[1] };
      const session = sessionNameOf(name, task);
      expect(session).toMatch(/^[\w+=,.@-]{2,64}$/);
      const [own = ''] = session.split('.');
      if (name.length <= 40) expect(own).toBe(name);
      else expect(own).toMatch(new RegExp(`^${name.slice(0, 31)}-[0-9a-f]{8}$`));
    }),
  );
});

test.each([
  ['dag_id=a&task_id=b', { dagId: 'a', taskId: 'b' }],
  ['dag_id=a%20b&task_id=%C3%A9', { dagId: 'a b', taskId: 'é' }],
  ['dag_id=a', undefined],
  ['dag_id=&task_id=b', undefined],
  ['', undefined],
  ['dag_id=%&task_id=%zz', { dagId: '%', taskId: '%zz' }],
])('%s', (query, expected) => {
  expect(toldTask(query)).toEqual(expected);
});
