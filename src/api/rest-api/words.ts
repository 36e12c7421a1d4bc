/** Characters; the whole answer is beside the message anyway. */
const longest = 500;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What Airflow 3 finds wrong with a request: where, and what. What was given (`input`) may be a password and is left
 * out.
 */
const findingOf = (finding: unknown): string => {
  if (!isObject(finding) || typeof finding['msg'] !== 'string') return '';
  const { loc, msg } = finding;
  return Array.isArray(loc) && loc.length > 0 ? `${loc.join('.')}: ${msg}` : msg;
};

const detailOf = (detail: unknown): string => {
  if (typeof detail === 'string') return detail;
  if (Array.isArray(detail)) return detail.slice(0, 10).map(findingOf).filter(Boolean).join('; ');
  return isObject(detail) ? detailOf(detail['message'] ?? detail['reason']) : '';
};

/** On one line, without what a terminal would obey, and not longer than people read. */
const plain = (text: string): string => {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 1).trimEnd()}…`;
};

/**
 * What Airflow says went wrong, of an answer of its REST API: title and detail (Airflow 2), or detail alone (Airflow
 * 3); empty when it says neither.
 */
export const wordsOf = (answer: unknown): string => {
  if (!isObject(answer)) return '';
  const title = typeof answer['title'] === 'string' ? answer['title'] : '';
  const detail = detailOf(answer['detail']);
  if (title === '' || detail === '' || detail.startsWith(title)) return plain(detail === '' ? title : detail);
  return plain(`${title}${/[.!?]$/.test(title) ? '' : '.'} ${detail}`);
};
