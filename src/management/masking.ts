const SECRET_NAME = /password|secret|token|credential/i;

/** A parameter's value as operators may see it: secrets by name, and credentials inside URLs, are masked (REQ-20, REQ-56). */
export function maskedParameter(name: string, value: string): string {
  if (SECRET_NAME.test(name)) return '*****';
  return value
    .replaceAll(/(\/\/[^/:@\s]*:)[^@/\s]*@/g, '$1*****@')
    .replaceAll(/((?:password|passcode|secret)=)[^&;\s)]*/gi, '$1*****');
}

/** All parameters, masked. */
export function maskedParameters(parameters: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries([...parameters].map(([name, value]) => [name, maskedParameter(name, value)]));
}
