/**
 * The alias of `hashicorp:vault-lookup([namespace,] path, field)` among our secrets: its parts with dots between them, so that
 * `'secret/mysql/webapp', 'url'` is the file `secret.mysql.webapp.url` or the variable `MINI_SYNAPSE_SECRET_SECRET_MYSQL_WEBAPP_URL`.
 */
export function hashicorpAlias(parts: readonly string[]): string {
  return parts
    .flatMap((part) => part.split('/'))
    .filter((part) => part !== '')
    .join('.');
}

/** Whether such a look-up may have so many arguments (spec mediators 4.2.3). */
export function isHashicorpArity(count: number): boolean {
  return count === 2 || count === 3;
}
