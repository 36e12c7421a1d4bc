import { config } from './tools/vitest-projects.ts';

export default config;
