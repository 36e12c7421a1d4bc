import { describe, expect, it } from 'vitest';
import { routeOf } from './route.ts';

const at = (airflow: 2 | 3, method: string, path: string) =>
  routeOf({ method, target: { path, raw: path, query: '' } }, { airflow });

describe('a wrong path of our own says the right one', () => {
  const whyAt = (airflow: 2 | 3, path: string) =>
    ['GET', 'POST'].map((method) => {
      const route = at(airflow, method, path);
      return route.to === 'nowhere' ? `${route.status} ${route.why}` : route.to;
    });

  it.each([
    [3, '/aws_mwaa/login', '/pluginsv2/aws_mwaa/login'],
    [3, '/aws_mwaa/login/', '/pluginsv2/aws_mwaa/login'],
    [2, '/pluginsv2/aws_mwaa/login', '/aws_mwaa/login'],
    [2, '/pluginsv2/aws_mwaa/login/', '/aws_mwaa/login'],
  ] as const)('for another Airflow than %i, %s: %s', (airflow, path, right) => {
    const why = `404 There is nothing at this path: this environment runs Airflow ${airflow}, where it is ${right}`;
    expect(whyAt(airflow, path)).toEqual([why, why]);
  });

  it.each([
    [3, '/pluginsv2/aws_mwaa/login/', '/pluginsv2/aws_mwaa/login'],
    [3, '/pluginsv2/aws_mwaa/cli', '/aws_mwaa/cli'],
    [3, '/pluginsv2/aws_mwaa/sign-out', '/aws_mwaa/sign-out'],
    [3, '/aws_mwaa/aws-console-sso/', '/aws_mwaa/aws-console-sso'],
    [2, '/aws_mwaa/login/', '/aws_mwaa/login'],
    [2, '/pluginsv2/aws_mwaa/cli', '/aws_mwaa/cli'],
    [2, '/aws_mwaa/cli/', '/aws_mwaa/cli'],
    [2, '/pluginsv2/aws_mwaa/aws-console-sso', '/aws_mwaa/aws-console-sso'],
  ] as const)('whatever the version, Airflow %i, %s: %s', (airflow, path, right) => {
    const why = `404 There is nothing at this path: it is ${right}`;
    expect(whyAt(airflow, path)).toEqual([why, why]);
  });

  it.each(['/aws_mwaa', '/aws_mwaa/', '/aws_mwaa/other', '/pluginsv2/aws_mwaa/login/x'])(
    '%s has none',
    (path) => {
      expect(at(3, 'POST', path)).toMatchObject({ status: 404, why: 'There is nothing at this path.' });
    },
  );
});

describe('a wrong method of our own path', () => {
  it.each([
    [2, 'GET', '/aws_mwaa/login', ['POST']],
    [3, 'GET', '/pluginsv2/aws_mwaa/login', ['POST']],
    [3, 'PUT', '/aws_mwaa/cli', ['POST']],
    [3, 'POST', '/aws_mwaa/aws-console-sso', ['GET', 'HEAD']],
  ] as const)('Airflow %i, %s %s: the others are named', (airflow, method, path, allow) => {
    expect(at(airflow, method, path)).toMatchObject({
      status: 405,
      allow,
      why: expect.stringMatching(/only\. It /),
    });
  });
});
