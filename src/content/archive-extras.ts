/** Extra fields of a header by their number, in their order; undefined when their lengths are wrong (APPNOTE.TXT 4.5.1). */
export const readExtras = (bytes: Buffer): readonly (readonly [id: number, data: Buffer])[] | undefined => {
  const found: [number, Buffer][] = [];
  let at = 0;
  // fewer than four bytes at the end are what zipalign leaves, and nobody reads them
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt16LE(at + 2);
    if (end > bytes.length) return undefined;
    found.push([bytes.readUInt16LE(at), bytes.subarray(at + 4, end)]);
    at = end;
  }
  return found;
};

export type Extras = NonNullable<ReturnType<typeof readExtras>>;

/** Numbers of fields: the first four of APPNOTE.TXT 4.5.2 and 4.6, the others of Info-ZIP's list. */
export const extraIds = { zip64: 0x0001, unix: 0x000d, unicodePath: 0x7075, time: 0x5455, asiUnix: 0x756e };

export const extraOf = (extras: Extras, id: number): Buffer | undefined =>
  extras.find(([found]) => found === id)?.[1];
