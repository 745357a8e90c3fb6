/** Whom UsernameTokens may name, and with which passwords this side names itself. */
export interface Users {
  /** Undefined for somebody unknown. */
  find(name: string): User | undefined;
}

export interface User {
  readonly password: string;
  readonly roles: readonly string[];
}
