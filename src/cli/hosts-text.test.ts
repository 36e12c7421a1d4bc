import { describe, expect, it } from 'vitest';
import { conflictIn, hostsLine, isThereAlready, withHostsLine, withoutHostsLine } from './hosts-text.ts';

const plain = '127.0.0.1 localhost\n';

describe('the line in a hosts file', () => {
  it.each([
    ['an empty file', '', `${hostsLine}\n`],
    ['lines', plain, `${plain}${hostsLine}\n`],
    ['a last line without an end', '127.0.0.1 localhost', `127.0.0.1 localhost\n${hostsLine}`],
    ['CRLF', '127.0.0.1 a\r\n# b\r\n', `127.0.0.1 a\r\n# b\r\n${hostsLine}\r\n`],
    ['CRLF without an end', '127.0.0.1 a\r\n# b', `127.0.0.1 a\r\n# b\r\n${hostsLine}`],
    ['blank lines', '\n\n', `\n\n${hostsLine}\n`],
  ])('is added to %s once, and taken back byte by byte', (_, before, after) => {
    expect(withHostsLine(before)).toBe(after);
    expect(withHostsLine(after)).toBe(after);
    expect(withoutHostsLine(after)).toBe(before);
    expect(withoutHostsLine(before)).toBe(before);
  });
  it('stays where it is when others have added lines', () => {
    const text = `${plain}${hostsLine}\n10.0.0.1 other\n`;
    expect(withHostsLine(text)).toBe(text);
    expect(withoutHostsLine(text)).toBe(`${plain}10.0.0.1 other\n`);
  });
  it('is one again where it was changed or doubled', () => {
    const changed = hostsLine.replace(' ops.localhost', '');
    expect(withHostsLine(`${changed}\n${plain}${hostsLine}\n`)).toBe(`${plain}${hostsLine}\n`);
  });
  it('leaves what somebody appended to it', () => {
    const text = `${withHostsLine('127.0.0.1 a')}10.0.0.1 other\n`;
    expect(withoutHostsLine(text)).toBe('127.0.0.1 a\n10.0.0.1 other\n');
  });
});

describe('names that are there', () => {
  it('are found in lines of others, with any case and in several lines', () => {
    expect(isThereAlready('127.0.0.1 API.localhost # x\n::1\tenv.localhost ops.localhost\n')).toBe(true);
    expect(isThereAlready('127.0.0.1 api.localhost env.localhost # ops.localhost\n')).toBe(false);
    expect(isThereAlready(`${hostsLine}\n`)).toBe(false);
  });
  it('are a conflict where they lead elsewhere', () => {
    expect(conflictIn(`${plain}10.0.0.5 x env.localhost\n`)).toEqual({
      line: 2,
      name: 'env.localhost',
      address: '10.0.0.5',
    });
    expect(conflictIn(`${plain}# 10.0.0.5 env.localhost\n${hostsLine}\n`)).toBeUndefined();
  });
});
