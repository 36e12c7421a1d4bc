import { type Answer, json } from './answer.ts';
import type { DoorFacts } from './door-facts.ts';
import { escapeHtml, page } from './page.ts';

const retryAfter = { 'retry-after': '2' };

const stopped = (door: DoorFacts, wantsHtml: boolean): Answer => {
  const text = `Environment ${door.name} is stopped.`;
  const detail = `${text} Whoever runs it can start it: windsock environment start ${door.name}`;
  if (!wantsHtml) return json(503, { title: text, detail, message: text, status: 503 });
  const body = `<h1>${escapeHtml(door.name)} is stopped</h1><p>Whoever runs it can start it again:</p><pre>windsock environment start ${escapeHtml(door.name)}</pre>`;
  return page({ status: 503, title: `${door.name} is stopped`, body });
};

/** Until this start of Airflow was seen to refuse strangers. The page loads itself again; programs get JSON. */
export const unavailable = (door: DoorFacts, wantsHtml: boolean): Answer => {
  if (door.record.suspended) return stopped(door, wantsHtml);
  const text = `Airflow of environment ${door.name} is starting.`;
  if (!wantsHtml) {
    return json(
      503,
      { title: text, detail: `${text} Try again in a few seconds.`, message: text, status: 503 },
      retryAfter,
    );
  }
  return page({
    status: 503,
    title: `${door.name} is starting`,
    reloadAfter: 2,
    headers: retryAfter,
    body:
      `<h1>${escapeHtml(door.name)} is starting</h1><p>Airflow is not ready yet. This page looks again every two seconds.</p>` +
      `<div class="bar" role="progressbar" aria-label="Starting"></div>`,
  });
};
