import { isSecretName, maskCredentials } from '../logging/secrets.ts';

/** A parameter's value as operators may see it: secrets by name, and credentials inside URLs, are masked (REQ-20, REQ-56). */
export function maskedParameter(name: string, value: string): string {
  return isSecretName(name) ? '*****' : maskCredentials(value);
}

/** All parameters, masked. */
export function maskedParameters(parameters: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...parameters].map(([name, value]) => [name, maskedParameter(name, value)]));
}
