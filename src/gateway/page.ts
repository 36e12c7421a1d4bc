import { randomBytes } from 'node:crypto';
import type { Answer } from './answer.ts';

const escapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML text or attribute value. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => escapes[c] ?? c);

const css = `
:root{color-scheme:light dark;--bg:#f4f6f9;--card:#fff;--ink:#16202e;--soft:#5b6878;--line:#dde3ea;--brand:#e2572b;--action:#b93c12;--on:#fff;--code:#f0f3f7}
@media (prefers-color-scheme:dark){:root{--bg:#10151c;--card:#181f29;--ink:#e8edf4;--soft:#97a4b5;--line:#2a3441;--brand:#ff7a4d;--action:#ff7a4d;--on:#1a0d06;--code:#10161e}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:24px;background:var(--bg);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{width:100%;max-width:560px;background:var(--card);border:1px solid var(--line);border-radius:14px;padding:36px 40px;
box-shadow:0 10px 40px rgb(0 0 0/.07);overflow-wrap:anywhere}
.brand{display:flex;align-items:center;gap:10px;font-weight:650;letter-spacing:.01em;margin-bottom:26px}
.brand svg{width:30px;height:22px;color:var(--brand)}
h1{font-size:1.45rem;line-height:1.3;font-weight:650;margin:0 0 10px}
p{margin:0 0 16px;color:var(--soft)}p b{color:var(--ink);font-weight:600}
pre{margin:6px 0 18px;padding:11px 14px;background:var(--code);border:1px solid var(--line);border-radius:8px;white-space:pre-wrap;
font:13.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--ink)}
.actions{display:flex;gap:12px;flex-wrap:wrap;margin-top:22px}
button,a.button{font:inherit;font-weight:600;padding:9px 18px;border-radius:8px;border:1px solid var(--line);background:transparent;
color:var(--ink);cursor:pointer;text-decoration:none}
button.main,a.main{background:var(--action);border-color:var(--action);color:var(--on)}
button:focus-visible,a:focus-visible{outline:3px solid var(--brand);outline-offset:2px}
.bar{height:3px;border-radius:3px;background:var(--line);overflow:hidden;margin-top:22px}
.bar::after{content:"";display:block;width:35%;height:100%;background:var(--brand);animation:go 1.3s ease-in-out infinite}
@keyframes go{from{transform:translateX(-110%)}to{transform:translateX(300%)}}
@media (prefers-reduced-motion:reduce){.bar::after{animation:none}}
.request{margin:26px 0 0;font-size:.8rem}
[hidden]{display:none!important}
@media (max-width:480px){main{padding:28px 22px}}`;

const logo =
  '<svg viewBox="0 0 30 22" fill="none" aria-hidden="true"><path d="M3 1v20" stroke="currentColor" stroke-width="2.4" stroke-linecap="round"/>' +
  '<path d="M6 3.2 27 7v6L6 15.8z" fill="currentColor" opacity=".28"/><path d="M6 3.2 12 4.3v10.7L6 15.8zM18 5.4l4.5.8v8l-4.5.6z" fill="currentColor"/></svg>';

export interface Page {
  readonly status: number;
  readonly title: string;
  /** HTML; every value in it must have been escaped. */
  readonly body: string;
  /** An inline script, and data for it. */
  readonly script?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  /** Loads the page again after so many seconds. */
  readonly reloadAfter?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

const policy = (nonce: string): string =>
  [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

// Inside a script element only `<` can end it early.
const dataElement = (data: Page['data']): string =>
  data
    ? `<script type="application/json" id="data">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>`
    : '';

const requestLine = (requestId: string): string =>
  requestId === '' ? '' : `<p class="request">Request ${escapeHtml(requestId)}</p>`;

/** A page of the door's own: nothing from elsewhere, scripts and styles by nonce, no frames. */
export const page = (p: Page): Answer => {
  const nonce = randomBytes(16).toString('base64');
  const refresh = p.reloadAfter ? `<meta http-equiv="refresh" content="${p.reloadAfter}">` : '';
  const script = p.script ? `<script nonce="${nonce}">${p.script}</script>` : '';
  const bodyFor = (requestId: string): string =>
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">` +
    `${refresh}<title>${escapeHtml(p.title)} · Windsock</title><style nonce="${nonce}">${css}</style></head>` +
    `<body><main><div class="brand">${logo}Windsock</div>${p.body}${requestLine(requestId)}</main>${dataElement(p.data)}${script}</body></html>\n`;
  const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy(nonce) };
  return { status: p.status, headers: { ...headers, ...p.headers }, body: bodyFor(''), bodyFor };
};
