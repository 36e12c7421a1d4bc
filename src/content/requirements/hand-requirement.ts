import { posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Option } from './options.ts';
import { packageOfFile, packageOfWheel } from './package-file.ts';
import { airflowHome, placeIn } from './places.ts';
import type { HandedLine } from './prepared.ts';
import { Unfit } from './refused.ts';
import { isPackageName, normalised, type Requirement, written } from './requirement.ts';
import { dropOption, handAddress, type Target } from './take-option.ts';

/** The algorithms that uv takes, with as many digits as they give. */
const hash = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/i;

const hashesOf = (options: readonly Option[], to: Target): string => {
  let text = '';
  for (const option of options) {
    if (dropOption(option, to)) continue;
    if (option.does !== 'hash')
      throw new Unfit('This option stands behind a requirement', 'Give it a line of its own', option.name);
    if (!hash.test(option.value))
      throw new Unfit(
        'This is no hash of SHA-256, 384 or 512',
        'Write it like --hash=sha256:…',
        option.value,
      );
    text += ` --hash=${option.value.toLowerCase()}`;
    to.collected.requireHashes = true;
  }
  return text;
};

const fileUrl = (path: string): string =>
  pathToFileURL(path).href.replaceAll('{', '%7B').replaceAll('}', '%7D');

const fileAt = (r: Requirement & { readonly path: string }, to: Target) => {
  const place = placeIn(to.context.folders, airflowHome, r.path);
  const fileName = posix.basename(place.seen);
  const name = packageOfFile(fileName);
  if (name === undefined)
    throw new Unfit(
      'A path must be that of a wheel or of a source archive, named like name-1.0-py3-none-any.whl or name-1.0.tar.gz',
      'Build one with pip wheel, and keep the name of its file',
      r.path,
    );
  if (packageOfWheel(fileName) !== undefined) to.collected.localWheels.add(place.real);
  return { ...r, name, address: fileUrl(place.real) };
};

/** The package that an address without a name before it is of: by its file, or #egg=NAME. */
const nameIn = (url: URL): string => {
  const file = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
  const egg = new URLSearchParams(url.hash.slice(1)).get('egg') ?? '';
  const name = packageOfFile(file) ?? egg;
  if (isPackageName(name)) return name;
  throw new Unfit(
    'The address does not say of which package it is',
    'Write the name before it: name @ https://…',
  );
};

const decodable = (url: URL): URL => {
  try {
    decodeURIComponent(url.pathname);
    return url;
  } catch {
    throw new Unfit('The address cannot be read', 'Give one like https://host/path');
  }
};

const named = (r: Requirement, to: Target): Requirement & { readonly name: string } => {
  if (r.path !== undefined) return fileAt({ ...r, path: r.path }, to);
  if (r.address === undefined) return { ...r, name: r.name ?? '' };
  const { url, href } = handAddress(r.address, to);
  return { ...r, name: r.name ?? nameIn(decodable(url)), address: href };
};

/** The requirement as uv gets it. Throws Unfit for what is not handed on. */
export const handRequirement = (r: Requirement, options: readonly Option[], to: Target): HandedLine => {
  const known = named(r, to);
  return {
    source: to.source,
    text: written(known) + hashesOf(options, to),
    name: normalised(known.name),
    specifier: known.specifier,
    address: known.address,
    byName: written({ ...known, address: undefined }),
  };
};
