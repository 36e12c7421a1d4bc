/** The versions that Amazon MWAA offers, oldest first. */
export const mwaaVersions = [
  '2.7.2',
  '2.8.1',
  '2.9.2',
  '2.10.1',
  '2.10.3',
  '2.11.0',
  '2.11.2',
  '3.0.6',
  '3.2.1',
  '3.3.1',
] as const;

export const majorOf = (version: string): 2 | 3 => (version.startsWith('2') ? 2 : 3);
