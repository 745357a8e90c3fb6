/** The codes of WS-Security 1.1, 12, each with the text that clients get: what exactly failed is nobody's business but the log's. */
const FAULTS = {
  UnsupportedSecurityToken: 'An unsupported token was provided',
  UnsupportedAlgorithm: 'An unsupported signature or encryption algorithm was used',
  InvalidSecurity: 'An error was discovered processing the <wsse:Security> header',
  InvalidSecurityToken: 'An invalid security token was provided',
  FailedAuthentication: 'The security token could not be authenticated or authorized',
  FailedCheck: 'The signature or decryption was invalid',
  SecurityTokenUnavailable: 'Referenced security token could not be retrieved',
  MessageExpired: 'The message has expired',
} as const;

export type SecurityFaultCode = keyof typeof FAULTS;

/** A message is not as its security policy demands. The message of the error is for the log; {@link reason} for the peer. */
export class SecurityFailure extends Error {
  override readonly name = 'SecurityFailure';
  readonly code: SecurityFaultCode;

  constructor(code: SecurityFaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** What the peer is told. */
  get reason(): string {
    return FAULTS[this.code];
  }
}

/** This side cannot secure or check messages: keys, users or policies are missing or wrong. */
export class SecuritySetupError extends Error {
  override readonly name = 'SecuritySetupError';
}
