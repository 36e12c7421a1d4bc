import { describe, expect, inject, test } from 'vitest';
import { anyText, fuzzer, takesLong } from '../../lib/test-fuzz.ts';
import { resolverReason } from './resolver-reason.ts';
import { contextWith, prepared } from './test-context.ts';
import { uvFailures } from './test-uv-failures.ts';

const { fuzz, deadline } = fuzzer(inject('fuzzSeconds'));

const context = contextWith({
  airflowVersion: '2.7.2',
  essentialPins: 'apache-airflow==2.7.2\nFlask==2.2.5\n',
  shippedConstraints: () => 'Flask==2.2.5\nboto3==1.28.17\nsqlparse==0.4.4\nfsspec==2023.9.2\n',
  allowsHost: () => true,
  variables: { WORD: 'pa55word', V: '1.9.0' },
  files: { '/e/dags/c.txt': '\nsqlparse==0.4.4\n' },
});

describe('a failure is led back to its lines', () => {
  test.each(uvFailures)('$what', async ({ file, stderr, lines, pins, reason }) => {
    const found = resolverReason(stderr, await prepared(file, context));
    expect(found.lines.map(({ line }) => line)).toEqual(lines);
    for (const pin of pins) expect(found.text).toContain(pin);
    expect(found.pins).toHaveLength(pins.length);
    expect(found.reason).toContain(reason);
    expect(found.text).toContain(found.reason);
    expect(found.text).not.toMatch(/\n|secretword/);
  });

  const dbt = uvFailures.find(({ what }) => what.startsWith('a conflict of what'))?.stderr ?? '';

  test('the text says where, what pins it, and what uv says', async () => {
    const { text } = resolverReason(dbt, await prepared('requests\ndbt-core==1.9.0', context));
    expect(text).toBe(
      'requirements.txt, line 2 (dbt-core==1.9.0). sqlparse==0.4.4 is pinned by the constraints of Airflow 2.7.2. uv says: Because dbt-core==1.9.0 depends on sqlparse>=0.5.0,<0.6.0 and sqlparse==0.4.4, we can conclude that dbt-core==1.9.0 cannot be used. And because you require dbt-core==1.9.0, we can conclude that your requirements are unsatisfiable.',
    );
  });

  test('a pin of their own constraints is told with its line', async () => {
    const file = '-c /usr/local/airflow/dags/c.txt\ndbt-core==1.9.0';
    expect(resolverReason(dbt, await prepared(file, context)).text).toContain(
      'sqlparse==0.4.4 is asked for by /usr/local/airflow/dags/c.txt, line 2',
    );
  });

  test('what uv cannot read is led back, without the file that uv was given', async () => {
    const said = `error: Couldn't parse requirement in \`/tmp/r.in\` at position 0
  cause: Expected a quoted string or a valid marker name, found \`blah\`
         six==1.0 ; os_name == blah
                               ^^^^\n`;
    const found = resolverReason(said, await prepared('idna\nsix==1.0; os_name == blah', context));
    expect(found.lines.map(({ line }) => line)).toEqual([2]);
    expect(found.reason).toMatch(/^Couldn't parse requirement — Expected a quoted string/);
  });

  test('a line of their own constraints is named when no requirement is', async () => {
    const said =
      "error: Couldn't parse requirement in `c.txt` at position 1\n  cause: odd\n  sqlparse==0.4.4";
    const file = '-c /usr/local/airflow/dags/c.txt\nsix';
    expect(resolverReason(said, await prepared(file, context)).lines).toMatchObject([
      { file: '/usr/local/airflow/dags/c.txt', line: 2 },
    ]);
  });

  test('values of variables are not told', async () => {
    const file = `dbt-core==\${V}\n-i https://pypi.org/\${WORD}/simple`;
    const { text } = resolverReason(
      `${dbt}  cause: https://pypi.org/pa55word/simple`,
      await prepared(file, context),
    );
    expect(text).not.toMatch(/pa55word|1\.9\.0/);
    expect(text).toContain(`requirements.txt, line 1 (dbt-core==\${V})`);
  });

  test('older versions of uv draw their causes', async () => {
    const drawn = `  × No solution found when resolving dependencies:
  ╰─▶ Because you require flask==3.0.0 and flask==2.2.5, we can conclude that
      your requirements are unsatisfiable.\n`;
    const found = resolverReason(drawn, await prepared('flask==3.0.0', context));
    expect(found.lines).toHaveLength(1);
    expect(found.reason).toBe(
      'Because you require flask==3.0.0 and flask==2.2.5, we can conclude that your requirements are unsatisfiable.',
    );
  });

  test('a package may be called like a word of uv', async () => {
    const said =
      'error: No solution found when resolving dependencies\n  cause: Because requirements was not found';
    expect(resolverReason(said, await prepared('requirements\nsix', context)).lines).toEqual([]);
    const required = 'error: x\n  cause: Because you require requirements==2 and six==1, we';
    expect(resolverReason(required, await prepared('requirements==2\nidna', context)).lines).toHaveLength(1);
  });

  test('nothing that uv prints is nothing', async () => {
    expect(resolverReason('', await prepared('six')).text).toBe('uv says: uv gave no reason');
  });

  test('whatever uv prints, the answer is one short line, soon', deadline, async () => {
    const given = await prepared('a @ https://u:p@pypi.org/a-1-py3-none-any.whl\n'.repeat(5_000), context);
    const nasty = ['a==1 ', 'a[', 'a://', 'https://u:p ', 'cause: x\n', ' '].map((part) =>
      part.repeat(5_000),
    );
    for (const text of nasty) expect(await takesLong(() => resolverReason(text, given), 200)).toBe(false);
    await fuzz(anyText({ maxLength: 2_000 }), (text) => {
      const found = resolverReason(text, given);
      expect(found.text.length).toBeLessThan(5_000);
    });
  });
});
