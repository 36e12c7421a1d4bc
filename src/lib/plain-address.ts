/** An IP address as it is compared and shown: IPv4 that came by an IPv6 socket is IPv4. */
export const plainAddress = (address: string | undefined): string =>
  (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase();

/** Whether a plain address is one of this machine alone. */
export const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');
