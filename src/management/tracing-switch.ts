import type { ManagedServer } from './managed-server.ts';
import { ManagementError } from './management-error.ts';
import type { JsonSchema } from './resource.ts';
import { BOOLEAN, TEXT } from './schemas.ts';

/** `"trace": "enable"` and `"statistics": "enable"` of the reference's bodies (spec proxies 8.4). */
export interface SwitchWishes {
  readonly trace?: string;
  readonly statistics?: string;
}

export const SWITCH_PROPERTIES = {
  trace: { type: 'string', description: 'enable or disable: every message of this artifact is traced' },
  statistics: { type: 'string', description: 'enable or disable; always counted here' },
} as const satisfies Readonly<Record<string, JsonSchema>>;

export const SWITCHED: JsonSchema = {
  type: 'object',
  properties: { message: TEXT, Message: TEXT, traced: BOOLEAN },
};

/** Is every message of an artifact traced? */
export function isTraced({ observation }: Pick<ManagedServer, 'observation'>, kind: string, name: string): boolean {
  const modes = observation?.tracing.modes;
  const own = modes?.own.find((setting) => setting.kind === kind && setting.name === name);
  return (own ?? modes?.general)?.mode === 'on';
}

/** `enabled` or `disabled`, as the reference's details say it. */
export function tracingWord(server: Pick<ManagedServer, 'observation'>, kind: string, name: string): string {
  return isTraced(server, kind, name) ? 'enabled' : 'disabled';
}

/**
 * Messages are followed in the worker that takes them, and only the one with the management API could show what it has seen.
 * @throws ManagementError 409 where there are several workers
 */
export function refuseAmongWorkers({ options: { workers } }: Pick<ManagedServer, 'options'>): void {
  if (workers === 1) return;
  throw new ManagementError(409, `Messages cannot be followed while there are ${workers} workers`, {
    details: ['start the server with --workers 1 to follow them'],
  });
}

/**
 * Carries out such a wish; the answer's text is the reference's. Statistics are always kept, so that switch does nothing.
 * @returns undefined when the body has no such wish
 * @throws ManagementError 400 for other words, 409 where there are several workers
 */
export function switchTracing(
  server: Pick<ManagedServer, 'observation' | 'options'>,
  wishes: SwitchWishes,
  artifact: { readonly kind: string; readonly name: string },
): { readonly message: string } | undefined {
  const [what, word] = wishes.trace !== undefined ? ['tracing', wishes.trace] : ['statistics', wishes.statistics];
  if (word === undefined) return undefined;
  const wanted = word.toLowerCase();
  if (wanted !== 'enable' && wanted !== 'disable')
    throw new ManagementError(400, 'Provided state is not valid', { details: ['expected enable or disable'] });
  if (what === 'tracing') {
    if (wanted === 'enable') refuseAmongWorkers(server);
    const modes = server.observation?.tracing.modes;
    if (wanted === 'enable') modes?.set({ mode: 'on', sample: 1, bodies: false }, artifact);
    else modes?.set({ mode: 'off', sample: 0, bodies: false }, artifact);
  }
  return { message: `${wanted === 'enable' ? 'Enabled' : 'Disabled'} ${what} for ('${artifact.name}')` };
}
