import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hasSection, readSetting, setSettings } from './ini-text.ts';

const config = `# mine
[default]
region=eu-west-1   
s3 =
    max_concurrent_requests = 20

[profile  windsock]
# keep this
region = us-west-2
output = json
mwaa_like =
  a = b

[profile other]
role_arn = arn:x
`;

it('changes one setting, adds another, and keeps every other byte', () => {
  const text = setSettings(config, 'profile windsock', {
    region: ['region = us-east-1'],
    ca_bundle: ['ca_bundle = /x'],
  });
  expect(text).toBe(
    config
      .replace('region = us-west-2', 'region = us-east-1')
      .replace('  a = b\n', '  a = b\nca_bundle = /x\n'),
  );
  expect(setSettings(text, 'profile windsock', { region: ['region = us-east-1'] })).toBe(text);
});
it('replaces a nested setting with all its lines, and takes one away', () => {
  const text = setSettings(config, 'default', { s3: ['s3 =', '  addressing_style = path'] });
  expect(text).toBe(config.replace('    max_concurrent_requests = 20', '  addressing_style = path'));
  expect(setSettings(config, 'default', { s3: undefined })).toBe(
    config.replace('s3 =\n    max_concurrent_requests = 20\n', ''),
  );
});
it('appends a section, also to a file without a last line end', () => {
  expect(setSettings('', 'a', { k: ['k = v'] })).toBe('[a]\nk = v\n');
  expect(setSettings('[b]\nx = 1', 'a', { k: ['k = v'] })).toBe('[b]\nx = 1\n\n[a]\nk = v\n');
});
it('keeps line ends of Windows', () => {
  expect(setSettings('[a]\r\nx = 1\r\n', 'a', { k: ['k = v'] })).toBe('[a]\r\nx = 1\r\nk = v\r\n');
});
it('reads', () => {
  expect(readSetting(config, 'profile windsock', 'region')).toBe('us-west-2');
  expect(readSetting(config, 'profile other', 'region')).toBeUndefined();
  expect([hasSection(config, 'default'), hasSection(config, 'windsock')]).toEqual([true, false]);
});
it('leaves any other text in place and can be read back', () => {
  const line = fc.oneof(
    fc.constantFrom('', '# c', '[a]', '[profile b]', 'k = v', '  nested = 1', 'x=y', '[services s]'),
    fc.stringMatching(/^[ -~]{0,20}$/),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const text = lines.map((l) => `${l}\n`).join('');
      const after = setSettings(text, 'profile ours', { endpoint: ['endpoint = e'] });
      if (!hasSection(text, 'profile ours')) expect(after.startsWith(text)).toBe(true);
      expect(readSetting(after, 'profile ours', 'endpoint')).toBe('e');
      expect(setSettings(after, 'profile ours', { endpoint: ['endpoint = e'] })).toBe(after);
    }),
  );
});
