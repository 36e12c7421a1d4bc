declare const transactionBrand: unique symbol;

/** One open database transaction. Only the store can look inside. */
export interface Transaction {
  readonly [transactionBrand]: true;
}

/** Runs work in a transaction: commits when it resolves, rolls back and rethrows when it throws. */
export type InTransaction = <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;
