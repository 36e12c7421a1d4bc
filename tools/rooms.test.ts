import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Who may import whom. A room that is not listed may not exist. */
const table: Readonly<Record<string, string>> = {
  lib: '',
  config: 'lib',
  contract: 'lib',
  policy: 'contract lib',
  identity: 'contract policy lib',
  tokens: 'contract policy lib identity audit',
  audit: 'contract policy lib identity',
  tls: 'lib',
  aws: 'config lib',
  upstream: 'tokens environments contract lib',
  environments: 'contract lib',
  airflow: 'environments content contract lib',
  content: 'environments contract lib',
  bucket: 'contract lib',
  store: 'environments airflow bucket identity tokens audit contract lib',
  api: 'contract policy identity tokens audit environments upstream bucket lib',
  gateway: 'contract policy identity tokens audit environments upstream tls lib',
  cli: 'contract lib config aws',
  server:
    'lib config contract policy identity tokens audit tls aws upstream environments airflow content bucket store api gateway',
  'maintain.ts': 'lib config server',
  'main.ts':
    'lib config contract policy identity tokens audit tls aws upstream environments airflow content bucket store api gateway server cli',
};

/** Rooms of which another may take types only. */
const typesOnly: Readonly<Record<string, readonly string[]>> = {
  tokens: ['audit'],
  store: ['airflow'],
  aws: ['config'],
};

const filesIn = (folder: string, pattern: RegExp): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes('node_modules'));

const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

interface Import {
  readonly file: string;
  /** Path of a file of ours. */
  readonly target: string;
  readonly onlyTypes: boolean;
}

const isTypesOnly = (node: ts.Node): boolean => {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  if (!ts.isImportDeclaration(node) || !node.importClause) return false;
  const { phaseModifier, name, namedBindings } = node.importClause;
  if (phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  if (name || !namedBindings || !ts.isNamedImports(namedBindings)) return false;
  return namedBindings.elements.every((element) => element.isTypeOnly);
};

const findImports = (file: string): readonly Import[] => {
  const text = textOf(file);
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const hasNested = /\bimport\s*\(/.test(text);
  const found: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined) => {
    if (!specifier || !ts.isStringLiteralLike(specifier) || !specifier.text.startsWith('.')) return;
    found.push({ file, target: join(dirname(file), specifier.text), onlyTypes: isTypesOnly(node) });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node, node.moduleSpecifier);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node, node.arguments[0]);
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node, node.argument.literal);
    // every import but a call and a type is a statement of its own
    if (node === source || hasNested) ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
};

const known = new Map<string, readonly Import[]>();

/** Every file of ours that a file imports: statically, dynamically or as a type. */
const importsOf = (file: string): readonly Import[] => {
  const found = known.get(file) ?? findImports(file);
  known.set(file, found);
  return found;
};

/** `src/api/mwaa/find.ts` → `api`; `src/main.ts` → `main.ts`. */
const roomOf = (file: string): string => file.split('/')[1] ?? '';

const faultOf = ({ file, target, onlyTypes }: Import): string | undefined => {
  const [from, to] = [roomOf(file), roomOf(target)];
  if (!target.startsWith('src/')) return `${file} imports ${target}, outside of src`;
  if (from === to) return undefined;
  if (!(table[from] ?? '').split(' ').includes(to))
    return `${file} imports ${target}: ${from} may not import ${to}`;
  if (typesOnly[from]?.includes(to) && !onlyTypes) return `${file} takes more than types from ${target}`;
  return undefined;
};

const sources = filesIn('src', /\.ts$/);

test('every room imports only what the table allows', () => {
  const imports = sources.flatMap(importsOf);
  expect(imports.length).toBeGreaterThan(200);
  expect(imports.flatMap((one) => faultOf(one) ?? [])).toEqual([]);
});

test('every room is in the table', () => {
  const rooms = new Set(sources.map(roomOf));
  expect([...rooms].filter((room) => !(room in table))).toEqual([]);
});

test('the table notices a forbidden import', () => {
  const forbidden = { file: 'src/lib/x.ts', target: 'src/store/pool.ts', onlyTypes: false };
  expect(faultOf(forbidden)).toMatch(/lib may not import store/);
  expect(faultOf({ file: 'src/tokens/x.ts', target: 'src/audit/cloudtrail.ts', onlyTypes: false })).toMatch(
    /more than types/,
  );
});

test('the suites that drive the product from outside import nothing of it', () => {
  const faults = filesIn('test', /\.ts$/)
    .flatMap(importsOf)
    .filter(({ target }) => target.startsWith('src/'));
  expect(faults).toEqual([]);
});

test('what is made for tests is used by tests only', () => {
  const forTests = /\.test\.ts$|\/(test-|fake-)[^/]*\.ts$|^src\/api\/testing\.ts$/;
  const faults = sources
    .filter((file) => !forTests.test(file))
    .flatMap(importsOf)
    .filter(({ target }) => forTests.test(target));
  expect(faults).toEqual([]);
});

test('only the settings and the programs read the environment of the process', () => {
  const readers = sources.filter((file) => /\bprocess\.env\b/.test(textOf(file)));
  const mayRead = /^src\/(config\/|cli\/|(main|maintain)\.ts$)/;
  expect(readers.filter((file) => !mayRead.test(file) && !file.endsWith('.test.ts'))).toEqual([]);
});

test('no program is started through a shell', () => {
  const files = [...sources, ...['tools', 'test', 'bench', 'bin'].flatMap((f) => filesIn(f, /\.(ts|mjs)$/))];
  // `.exec(` of a regular expression is another thing; this very line names both words
  const shell = /(?<![.\w])exec(Sync)?\(|\bshell: true\b/;
  const faults = files.filter((file) => file !== 'tools/rooms.test.ts' && shell.test(textOf(file)));
  expect(faults).toEqual([]);
});
