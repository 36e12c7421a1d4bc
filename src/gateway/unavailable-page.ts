import { type Answer, json } from './answer.ts';
import type { DoorFacts } from './door-facts.ts';
import { escapeHtml, page } from './page.ts';

const retryAfter = { 'retry-after': '2' };

/** Until this start of Airflow was seen to refuse strangers. The page loads itself again; programs get JSON. */
export const unavailable = (door: DoorFacts, wantsHtml: boolean): Answer => {
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
