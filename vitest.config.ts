// biome-ignore lint/style/noDefaultExport: Vitest reads the default export
export { config as default } from './tools/vitest-projects.ts';
