const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Characters that XML 1.0 cannot hold are replaced; a carriage return survives only as a reference. */
const escapeText = (text: string): string =>
  text
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"]/g, (c) => entities[c] ?? c)
    .replaceAll('\r', '&#xD;');

/** One element; `content` is text to escape, or elements that are already written. */
export const element = (
  name: string,
  content: string | { readonly xml: string },
  attributes: Readonly<Record<string, string>> = {},
): string => {
  const inner = typeof content === 'string' ? escapeText(content) : content.xml;
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeText(value)}"`);
  return `<${name}${given.join('')}>${inner}</${name}>`;
};
