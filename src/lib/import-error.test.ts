import { expect, test } from 'vitest';
import { importErrorOf } from './import-error.ts';

const traceback = `Traceback (most recent call last):
  File "/usr/local/airflow/dags/team/a.py", line 3, in <module>
    helper()
  File "/usr/local/airflow/dags/team/a.py", line 12, in helper
    import nothing_of_that_name
ModuleNotFoundError: No module named 'nothing_of_that_name'
`;

test('the last line of the file itself, and the last of the text', () => {
  expect(importErrorOf('team/a.py', traceback)).toEqual({
    line: 12,
    message: "ModuleNotFoundError: No module named 'nothing_of_that_name'",
  });
  expect(importErrorOf('a.py', traceback).line).toBe(12);
});

test('an error in another file has no line here', () => {
  expect(importErrorOf('other.py', traceback).line).toBeUndefined();
});

test('a syntax error, whose text ends with a mark', () => {
  const text = `  File "/usr/local/airflow/dags/b.py", line 2\n    def (:\n        ^\nSyntaxError: invalid syntax\n        ^\n`;
  expect(importErrorOf('b.py', text)).toEqual({ line: 2, message: 'SyntaxError: invalid syntax' });
});

test('a message of several lines, with advice', () => {
  const text = `${traceback.replace(/ModuleNotFoundError.*/, 'airflow.exceptions.AirflowTaskTimeout: DagBag import timeout for a.py after 30.0s.')}Please take a look at these docs:\n* https://airflow.example, PID: 7\n`;
  expect(importErrorOf('team/a.py', text)).toEqual({
    line: 12,
    message: 'airflow.exceptions.AirflowTaskTimeout: DagBag import timeout for a.py after 30.0s.',
  });
});

test('a text without a frame', () => {
  expect(importErrorOf('a.py', 'Something went wrong\nbecause of this\n').message).toBe('because of this');
});

test('no text at all', () => {
  expect(importErrorOf('b.py', ' \n')).toEqual({ line: undefined, message: 'Airflow gave no reason' });
});
