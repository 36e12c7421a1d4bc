import { customDomainOf } from '../environments/custom-domain.ts';
import type { EnvironmentId, EnvironmentRecord } from '../environments/record.ts';

/** A name, whose it is, and for whom it is there. */
export interface Named {
  readonly id: EnvironmentId;
  readonly kind: 'public' | 'private';
}

/** Names of an environment in a domain, as Amazon MWAA builds them: private ones have `-vpce`. */
export const ownNames = (id: EnvironmentId, domain: string) =>
  ({ public: `${id}.${domain}`, private: `${id}-vpce.${domain}` }) as const;

/** Which environment each name leads to. */
export class Names {
  readonly #domain: string;
  readonly #named = new Map<string, Named>();

  constructor(domain: string) {
    this.#domain = domain;
  }

  find(name: string): Named | undefined {
    return this.#named.get(name);
  }

  /** All names of an environment. */
  of(id: EnvironmentId): readonly string[] {
    return [...this.#named].flatMap(([name, named]) => (named.id === id ? name : []));
  }

  /** Sets the names of an environment; one that another has stays with the other. */
  set({ id, spec }: EnvironmentRecord): void {
    this.remove(id);
    const own = ownNames(id, this.#domain);
    const custom = customDomainOf(spec);
    this.#named.set(own.public, { id, kind: 'public' });
    this.#named.set(own.private, { id, kind: 'private' });
    if (custom !== undefined && !this.#named.has(custom)) this.#named.set(custom, { id, kind: 'private' });
  }

  remove(id: EnvironmentId): void {
    for (const name of this.of(id)) this.#named.delete(name);
  }
}
