import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { ReportedHookContext, Reporter, TestModule, Vitest } from 'vitest/node';
import { type FileDurations, type Part, slowest, writeDurations } from './durations.ts';

const nameOf = ({ name, entity }: ReportedHookContext): string =>
  entity.type === 'module' ? name : `${name} of ${entity.fullName}`;

const testsOf = (module: TestModule): readonly Part[] =>
  [...module.children.allTests()].map((test) => ({
    name: test.fullName,
    seconds: (test.diagnostic()?.duration ?? 0) / 1000,
  }));

/** Everything between the start of a worker for the file and its last hook. */
const secondsOf = (module: TestModule): number => {
  const d = module.diagnostic();
  const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } = d;
  return (environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration) / 1000;
};

/** Records what files, hooks and tests took; writes the hooks of the run to a file that is named. */
export class DurationsReporter implements Reporter {
  readonly #isFull: boolean;
  readonly #hooksFile: string | undefined;
  readonly #begun = new Map<string, number>();
  readonly #hooks = new Map<string, Part[]>();
  #root = '';
  #isWhole = true;

  constructor(o: { readonly isFull: boolean; readonly hooksFile: string | undefined }) {
    this.#isFull = o.isFull;
    this.#hooksFile = o.hooksFile;
  }

  onInit(vitest: Vitest): void {
    this.#root = vitest.config.root;
    // of a file of which only some tests run, the duration says nothing
    this.#isWhole = vitest.config.testNamePattern === undefined;
  }

  onHookStart(hook: ReportedHookContext): void {
    this.#begun.set(`${hook.entity.id} ${hook.name}`, performance.now());
  }

  onHookEnd(hook: ReportedHookContext): void {
    const key = `${hook.entity.id} ${hook.name}`;
    const begun = this.#begun.get(key);
    if (begun === undefined) return;
    this.#begun.delete(key);
    const file = this.#fileOf(hook.entity.type === 'module' ? hook.entity : hook.entity.module);
    const part = { name: nameOf(hook), seconds: (performance.now() - begun) / 1000 };
    this.#hooks.set(file, [...(this.#hooks.get(file) ?? []), part]);
  }

  onTestModuleEnd(module: TestModule): void {
    if (!this.#isWhole || module.state() === 'skipped') return;
    writeDurations(this.#durationsOf(module), this.#isFull);
  }

  onTestRunEnd(): void {
    if (this.#hooksFile === undefined) return;
    const all = [...this.#hooks].flatMap(([file, parts]) => parts.map((part) => ({ file, ...part })));
    writeFileSync(this.#hooksFile, JSON.stringify(slowest(all, 10)));
  }

  #durationsOf(module: TestModule): FileDurations {
    const file = this.#fileOf(module);
    const hooks = this.#hooks.get(file) ?? [];
    return { file, seconds: secondsOf(module), hooks, tests: testsOf(module) };
  }

  #fileOf({ moduleId }: TestModule): string {
    return relative(this.#root, moduleId);
  }
}
