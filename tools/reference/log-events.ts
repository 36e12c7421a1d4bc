import { logEvents, logFields } from '../../src/lib/log-events.ts';
import { code, page, table } from './markdown.ts';

/** `docs/reference/log-events.md` */
export const logEventsPage = (): string =>
  page(
    'Events in the log',
    `The server writes one JSON object a line to \`logs/windsock.log\` in the data folder, and with \`--json-logs\` the same
lines to its output. Each has \`time\` (ISO 8601, UTC), \`level\` (\`info\`, \`warn\`, \`error\`), \`message\`, one of the events
below, and the event's fields as far as they are known. A token, a secret or a signature is in none of them.`,
    '## Events',
    table(
      ['message', 'meaning', 'fields'],
      Object.entries(logEvents).map(([event, { meaning, fields }]) => [
        code(event),
        meaning,
        fields.map(code).join(' '),
      ]),
    ),
    '## Fields',
    table(
      ['field', 'meaning'],
      Object.entries(logFields).map(([field, meaning]) => [code(field), meaning]),
    ),
  );
