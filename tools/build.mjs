// `npm run build`: the package's JavaScript in dist/. Each program is bundled with the packages it uses, because Node
// reads one large file several times faster than a thousand small ones, and because the package then holds the very
// versions that were tested. The files beside the code that it reads when it runs are copied to where they stood.
import { readdirSync, readFileSync } from 'node:fs';
import { cp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [source, target, unfinished] = ['src', 'dist', 'dist.tmp'].map((name) => join(root, name));
const programs = ['main', 'maintain', 'cli/main', 'lib/process-worker'];
const leftOut = /\.ts$|__pycache__|__snapshots__|\.snap$/;
const forTests = /(?:^|\/)(?:test-|fake-|testing\.)[^/]*$|\.test\./;
/** Stands in a bundle for the way from its file to dist/, until the name of the file is known. */
const toTarget = '__WINDSOCK_DIST__';

/** A module that looks for files beside it finds them from the bundle it became part of. */
const filesBeside = {
  name: 'files-beside',
  transform: {
    filter: { id: new RegExp(`^${RegExp.escape(source)}/`), code: 'import.meta.url' },
    handler: (code, id) => {
      const file = relative(source, id).replace(/\.ts$/, '.js');
      return code.replaceAll('import.meta.url', `new URL('${toTarget}${file}', import.meta.url).href`);
    },
  },
  renderChunk: (code, { fileName }) => ({
    code: code.replaceAll(toTarget, fileName.includes('/') ? '../' : './'),
  }),
};

const bundle = async () => {
  const build = await rolldown({
    input: Object.fromEntries(programs.map((name) => [name, join(source, `${name}.ts`)])),
    platform: 'node',
    // for pg: never installed here
    external: ['pg-native'],
    resolve: { mainFields: ['module', 'main'] },
    plugins: [filesBeside],
  });
  try {
    const { output } = await build.write({
      dir: unfinished,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'shared/[name]-[hash].js',
    });
    return output.flatMap((chunk) => ('moduleIds' in chunk ? chunk.moduleIds : []));
  } finally {
    await build.close();
  }
};

/** Fails when a program imports, through whatever, a file that is there for tests. */
const lookForTests = (modules) => {
  const found = modules.filter((file) => file.startsWith(source) && forTests.test(file));
  if (found.length > 0) throw new Error(`There for tests, but imported by a program: ${found.join(', ')}`);
};

/** `…/node_modules/@scope/name/lib/file.js` → `…/node_modules/@scope/name`. */
const packageOf = (file) => /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];

/** The licences of what was bundled, which all ask that their text goes along. */
const licences = (modules) => {
  const packages = [...new Set(modules.flatMap((file) => packageOf(file) ?? []))].sort();
  const texts = packages.map((folder) => {
    const {
      name,
      version,
      license,
      homepage = '',
    } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
    const text = files.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n');
    return `${name} ${version} (${license}) ${homepage}\n\n${text}`.trim();
  });
  return `${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
};

const begun = new Date();
await rm(unfinished, { recursive: true, force: true });
const modules = await bundle();
lookForTests(modules);
await cp(source, unfinished, { recursive: true, filter: (path) => !leftOut.test(path) });
await writeFile(join(unfinished, 'LICENSES-OF-PACKAGES.txt'), licences(modules));
// what changes while this runs is newer than the build (tools/built.ts)
await utimes(unfinished, begun, begun);
await rm(target, { recursive: true, force: true });
await rename(unfinished, target);
