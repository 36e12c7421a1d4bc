/** OID of the name constraints extension (RFC 5280 4.2.1.10). */
export const nameConstraintsOid = '2.5.29.30';

const tlv = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(contents);
  if (body.length > 127) throw new Error('long DER lengths are not needed here');
  return Buffer.concat([Buffer.from([tag, body.length]), body]);
};

// GeneralName: dNSName [2] IA5String, iPAddress [7] OCTET STRING of address and mask (8 or 32 bytes).
const dns = (name: string): Buffer => tlv(0x82, Buffer.from(name, 'ascii'));
const ip = (address: readonly number[]): Buffer =>
  tlv(0x87, Buffer.from([...address, ...address.map(() => 0xff)]));
const subtree = (base: Buffer): Buffer => tlv(0x30, base);

/** localhost with the names below it, 127.0.0.1 and ::1. A list with DNS names alone would leave every address open. */
export const loopbackOnly: Buffer = tlv(
  0x30,
  tlv(
    0xa0,
    subtree(dns('localhost')),
    subtree(ip([127, 0, 0, 1])),
    subtree(ip([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
  ),
);
