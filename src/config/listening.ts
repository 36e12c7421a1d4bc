import { BlockList, isIP } from 'node:net';
import { WindsockError } from '../lib/errors.ts';
import type { Settings } from './settings.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const isLoopback = (address: string): boolean =>
  loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Where doors listen, and with which certificate. */
export interface Listening {
  readonly private: readonly string[];
  readonly public: readonly string[];
  /** Undefined while every environment has a port of its own at `localhost`. */
  readonly named: { readonly domain: string; readonly chain: string; readonly key: string } | undefined;
}

const fail = (text: string): never => {
  throw new WindsockError('SettingsInvalid', text);
};

/**
 * Puts the settings of the doors together. Outside of loopback an environment must be known by a name that a
 * certificate is for: the local authority is for this machine only.
 * @throws WindsockError SettingsInvalid
 */
export const listeningOf = (
  s: Pick<Settings, 'privateAddress' | 'publicAddress' | 'domain' | 'certificate' | 'certificateKey'>,
): Listening => {
  const [own, all] = [s.privateAddress, s.publicAddress];
  const { domain, certificate, certificateKey } = s;
  if (domain === undefined) {
    const outside = [...own, ...all].find((address) => !isLoopback(address));
    if (outside !== undefined)
      fail(
        `To listen at ${outside}, environments need names: give --domain, --certificate and --certificate-key as well.`,
      );
    if (certificate !== undefined || certificateKey !== undefined)
      fail('--certificate and --certificate-key are for a --domain: give it as well, or leave them out.');
    return { private: own, public: all, named: undefined };
  }
  if (certificate === undefined || certificateKey === undefined)
    return fail(
      `--domain ${domain} needs a certificate for *.${domain}: give --certificate and --certificate-key.`,
    );
  return { private: own, public: all, named: { domain, chain: certificate, key: certificateKey } };
};
