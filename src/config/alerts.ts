import { ALERT_KINDS, type AlertKind } from '../alerts/alert.ts';
import type { AlertSettings, HookSettings } from '../alerts/settings.ts';
import type { Settings } from './settings.ts';
import { ConfigurationError, type TomlReader } from './toml-reader.ts';

/**
 * Reads `[alerts]` and `[[alerts.webhook]]` (OP-24): who is told when a processor changes its state or is stuck, a store goes down, or an
 * artifact is faulty.
 * @throws ConfigurationError
 */
export function readAlerts(toml: TomlReader, settings: Settings): AlertSettings {
  const own = toml.table('alerts');
  own.refuseUnknown(['webhook', 'deadline_ms', 'attempts', 'queue']);
  const hooks = own.tables('webhook').map(readHook);
  const names = hooks.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ConfigurationError(`${toml.file}: [[alerts.webhook]] has '${twice}' twice`);
  return {
    hooks,
    deadlineMs: settings.get('alerts.deadline_ms'),
    attempts: settings.get('alerts.attempts'),
    queue: settings.get('alerts.queue'),
  };
}

function readHook(entry: TomlReader): HookSettings {
  entry.refuseUnknown(['name', 'url', 'url_secret', 'events', 'header', 'header_secret']);
  const url = entry.text('url')?.trim();
  const urlSecret = entry.text('url_secret')?.trim();
  if (Boolean(url) === Boolean(urlSecret)) throw wrong(entry, "needs one of 'url' and 'url_secret'");
  if (url && !isHttp(url)) throw wrong(entry, "'url' is no address like https://alerts.example.org/hook");
  const header = entry.text('header')?.trim();
  const headerSecret = entry.text('header_secret')?.trim();
  if (Boolean(header) !== Boolean(headerSecret))
    throw wrong(
      entry,
      "needs both 'header', the name of a header, and 'header_secret', what its value is called, or none",
    );
  if (header && !/^[\w!#$%&'*+.^`|~-]+$/.test(header))
    throw wrong(entry, `'header' is no name of a header: '${header}'`);
  const name = entry.text('name')?.trim() || (url ? new URL(url).host : urlSecret) || '';
  return {
    name,
    url: url || undefined,
    urlSecret: urlSecret || undefined,
    kinds: kindsOf(entry),
    header: header && headerSecret ? { name: header, secret: headerSecret } : undefined,
  };
}

function kindsOf(entry: TomlReader): readonly AlertKind[] {
  const written = entry.list('events');
  if (written === undefined) return ALERT_KINDS;
  const unknown = written.find((kind) => !ALERT_KINDS.includes(kind as AlertKind));
  if (unknown !== undefined)
    throw wrong(entry, `'events' has '${unknown}', expected some of: ${ALERT_KINDS.join(', ')}`);
  if (written.length === 0) throw wrong(entry, "'events' is empty: it would never be called");
  return written as readonly AlertKind[];
}

function isHttp(url: string): boolean {
  return /^https?:$/.test(URL.parse(url)?.protocol ?? '');
}

function wrong(entry: TomlReader, text: string): ConfigurationError {
  return new ConfigurationError(`${entry.file}: ${entry.tablePath}: ${text}`);
}
