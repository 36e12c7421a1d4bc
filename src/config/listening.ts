import { BlockList, isIP } from 'node:net';
import { WindsockError } from '../lib/errors.ts';
import type { Settings } from './settings.ts';

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const isLoopback = (address: string): boolean => loopback.check(address, familyOf(address));

/** One certificate with its chain, and its key (PEM). */
export interface Files {
  readonly chain: string;
  readonly key: string;
}

/** Where doors listen, with which certificates, and who stands in front of them. */
export interface Listening {
  readonly private: readonly string[];
  readonly public: readonly string[];
  /** Undefined while every environment has a port of its own at `localhost`. */
  readonly named: { readonly domain: string; readonly files: readonly [Files, ...Files[]] } | undefined;
  /** Undefined while whoever connects is the client. */
  readonly proxies:
    | { readonly tell: NonNullable<Settings['proxyTells']>; has(address: string): boolean }
    | undefined;
}

const fail = (text: string): never => {
  throw new WindsockError('SettingsInvalid', text);
};

const proxiesOf = ({ proxyAddress, proxyTells }: Pick<Settings, 'proxyAddress' | 'proxyTells'>) => {
  if (proxyAddress.length === 0 && proxyTells === undefined) return undefined;
  if (proxyAddress.length === 0 || proxyTells === undefined)
    return fail('--proxy-address and --proxy-tells belong together: give both, or neither.');
  const networks = new BlockList();
  for (const text of proxyAddress) {
    const [address = '', bits] = text.split('/');
    if (bits === undefined) networks.addAddress(address, familyOf(address));
    else networks.addSubnet(address, Number(bits), familyOf(address));
  }
  return { tell: proxyTells, has: (address: string) => networks.check(address, familyOf(address)) };
};

const filesOf = (chains: readonly string[], keys: readonly string[]): readonly [Files, ...Files[]] => {
  if (chains.length !== keys.length)
    fail('--certificate and --certificate-key must name as many files, in the same order.');
  const pairs = chains.map((chain, i) => ({ chain, key: keys[i] ?? '' }));
  const [first, ...others] = pairs;
  return first ? [first, ...others] : fail('--certificate names no file.');
};

type Given = Pick<
  Settings,
  | 'privateAddress'
  | 'publicAddress'
  | 'domain'
  | 'certificate'
  | 'certificateKey'
  | 'externalPort'
  | 'proxyAddress'
  | 'proxyTells'
>;

/**
 * Puts the settings of the doors together. Outside of loopback an environment must be known by a name that a
 * certificate is for: the local authority is for this machine only.
 * @throws WindsockError SettingsInvalid
 */
export const listeningOf = (s: Given): Listening => {
  const { privateAddress, publicAddress, domain, certificate, certificateKey } = s;
  const common = { private: privateAddress, public: publicAddress, proxies: proxiesOf(s) };
  if (domain === undefined) {
    const outside = [...privateAddress, ...publicAddress].find((address) => !isLoopback(address));
    if (outside !== undefined)
      fail(
        `To listen at ${outside}, environments need names: give --domain, --certificate and --certificate-key as well.`,
      );
    if (certificate !== undefined || certificateKey !== undefined)
      fail('--certificate and --certificate-key are for a --domain: give it as well, or leave them out.');
    if (s.externalPort !== undefined)
      fail('--external-port is for a --domain: give it as well, or leave it out.');
    return { ...common, named: undefined };
  }
  if (certificate === undefined || certificateKey === undefined)
    return fail(
      `--domain ${domain} needs a certificate for *.${domain}: give --certificate and --certificate-key.`,
    );
  return { ...common, named: { domain, files: filesOf(certificate, certificateKey) } };
};

/** Why no environment may answer by a name outside of its own ones; undefined when one may. */
export const customDomainFault = (
  name: string,
  { named, proxies }: Pick<Listening, 'named' | 'proxies'>,
  certifies: (name: string) => boolean,
): string | undefined => {
  if (named === undefined)
    return `The environments of this installation have no names, so none can answer by ${name}. Start the server with --domain.`;
  if (name === named.domain || name.endsWith(`.${named.domain}`))
    return `${name} is in the domain of this installation, whose names are given by the server.`;
  // a proxy that ends TLS has the certificate itself
  const elsewhere = proxies !== undefined && proxies.tell !== 'proxy-protocol';
  if (elsewhere || certifies(name)) return undefined;
  return `No certificate of this installation is for ${name}. Give the server one: --certificate and --certificate-key take several files.`;
};
