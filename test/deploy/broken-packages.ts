// Packages and plugins that cannot be used, each in another way.

/** What cannot be installed or imported, with what is said about it. */
export const brokenPackages: readonly {
  readonly what: string;
  readonly requirements?: string;
  /** More files of the archive. */
  readonly more?: Readonly<Record<string, string>>;
  readonly told: RegExp;
}[] = [
  {
    what: 'a line against a pin',
    requirements: 'six\nflask==1.0\n',
    told: /requirements\.txt, line 2 \(flask==1\.0\)/,
  },
  {
    what: 'a package that does not exist',
    requirements: 'windsock-tests-no-such-package==1.0\n',
    told: /requirements\.txt, line 1 \(windsock-tests-no-such-package==1\.0\)/,
  },
  {
    what: 'a plugin whose import raises',
    more: { 'raising.py': 'raise RuntimeError("not on this machine")\n' },
    told: /raising\.py.*not on this machine/s,
  },
  {
    what: 'an archive with a path out of it',
    more: { '../out.py': '' },
    told: /^plugins\.zip: .*\.\.\/out\.py/s,
  },
];
