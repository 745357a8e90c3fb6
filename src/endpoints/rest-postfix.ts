/** Appends the rest of an incoming URL to an endpoint's address (spec proxies 5.4). */
export function appendRestPostfix(address: string, postfix: string): string {
  if (address.startsWith('jms')) return address;
  const slash = address.endsWith('/');
  if (!slash && !postfix.startsWith('/') && !postfix.startsWith('?')) return `${address}/${postfix}`;
  if (slash && postfix.startsWith('/')) return address + postfix.slice(1);
  if (slash && postfix.startsWith('?')) return address.slice(0, -1) + postfix;
  return address + postfix;
}
