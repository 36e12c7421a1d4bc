import { describe, expect, it } from 'vitest';
import { originForm } from './request-target.ts';

const at = (target: string, host = 'a.example:7443', scheme: 'http' | 'https' = 'https') =>
  originForm(target, { scheme, host });

describe('the origin form of a request target', () => {
  it.each([
    ['/', '/'],
    ['/a?b=https://c/', '/a?b=https://c/'],
    ['//a', '//a'],
    ['https://a.example:7443/b?c=d', '/b?c=d'],
    ['https://a.example:7443', '/'],
    ['https://a.example:7443?b', '/?b'],
    ['HTTPS://A.EXAMPLE:7443/B', '/B'],
    ['https://a.example:7443//b', '//b'],
    ['https://a.example:7443/@b', '/@b'],
  ])('of %s is %s', (target, expected) => expect(at(target)).toEqual({ target: expected }));

  it.each([
    ['https://a.example:443/b', 'a.example', 'https'],
    ['https://a.example/b', 'a.example:443', 'https'],
    ['http://a.example:80/b', 'A.example', 'http'],
    ['https://[::1]:7443/b', '[::1]:7443', 'https'],
  ] as const)('of %s at %s needs no default port', (target, host, scheme) =>
    expect(at(target, host, scheme)).toEqual({ target: '/b' }),
  );

  it.each([
    [421, 'https://b.example:7443/'],
    [421, 'https://a.example/'],
    [421, 'https://a.example:443/'],
    [421, 'https://a.example:07443/'],
    [421, 'https://a.example.:7443/'],
    [400, 'https://a.example:7443%2f@b/'],
    [421, 'http://a.example:7443/'],
    [421, 'ws://a.example:7443/'],
    [400, 'https://a.example:7443\\@b.example/'],
    [400, 'https://user@a.example:7443/'],
    [400, 'https://user:pw@a.example:7443/'],
    [400, 'https://a.example:7443@b.example/'],
    [400, 'https:///b'],
    [400, 'https://'],
    [400, 'https:/a.example:7443/'],
    [400, 'https:a.example:7443/'],
    [400, 'a.example:7443'],
    [400, '*'],
    [400, ''],
    [400, ' /'],
    [400, 'javascript:alert(1)'],
  ])('is refused with %i: %s', (status, target) => {
    expect(at(target)).toMatchObject({ status, refused: expect.any(String) });
  });

  it('with a fragment holds it, for the caller to refuse', () =>
    expect(at('https://a.example:7443#b')).toEqual({ target: '/#b' }));
});
