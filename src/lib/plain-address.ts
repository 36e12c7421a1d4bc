/** An IP address as it is compared and shown: IPv4 that came by an IPv6 socket is IPv4. */
export const plainAddress = (address: string | undefined): string =>
  (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase();
