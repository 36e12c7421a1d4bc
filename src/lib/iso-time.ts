/** A moment in epoch milliseconds as ISO 8601 in whole seconds, as AWS writes times: `2026-11-25T20:00:00Z`. */
export const isoTime = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z');
