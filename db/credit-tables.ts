import type { ColumnType, Generated } from 'kysely';

type Written<T> = ColumnType<T, T | undefined, never>;

export const transactionKinds = ['grant', 'purchase', 'hold', 'capture', 'release'] as const;

export type TransactionKind = (typeof transactionKinds)[number];

/** Append-only: the database refuses changes. Neither users nor jobs are referred to, so that both may go. */
export interface CreditTransactionsTable {
  id: Written<string>;
  kind: ColumnType<TransactionKind, TransactionKind, never>;
  user_id: ColumnType<string, string, never>;
  /** What is moved; negative only for a grant that takes credits back. */
  amount: ColumnType<number, number, never>;
  /** Of holds and what ends them. */
  job_id: Written<string | null>;
  /** Which of the job's products; see `wholeJob` in the prices. */
  item: Written<string | null>;
  /** The hold that a capture or a release ends; unique, so that a hold has one end. */
  settles: Written<string | null>;
  /** What makes a repetition the same; unique. Null where `settles` does that. */
  key: Written<string | null>;
  reason: Written<string>;
  actor_id: Written<string | null>;
  created_at: Written<Date>;
}

/** `issued` and `earned` are the system's and have no user. */
export const accounts = ['issued', 'available', 'held', 'earned'] as const;

export type Account = (typeof accounts)[number];

/** Append-only; two a transaction, which sum to zero. */
export interface CreditEntriesTable {
  transaction_id: ColumnType<string, string, never>;
  account: ColumnType<Account, Account, never>;
  user_id: Written<string | null>;
  amount: ColumnType<number, number, never>;
}

/** Derived from the entries and written with them; neither amount is ever negative. */
export interface CreditBalancesTable {
  user_id: string;
  available: Generated<number>;
  held: Generated<number>;
}

/** Derived: holds without an end. */
export interface CreditOpenHoldsTable {
  transaction_id: string;
  user_id: string;
  job_id: string;
  item: string;
  amount: number;
}
