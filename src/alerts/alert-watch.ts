import type { FaultyFile } from '../deployment/index.ts';
import { formatDiagnostic } from '../grammar/diagnostic.ts';
import { maskSecrets } from '../logging/secrets.ts';
import type { Configuration } from '../message/configuration.ts';
import type { ProcessorState } from '../processors/message-processor.ts';
import type { StoreState } from '../stores/message-store.ts';
import type { Alert } from './alert.ts';

const BAD_PROCESSORS: ReadonlySet<ProcessorState> = new Set(['DEACTIVATED', 'FAULTY', 'CIRCUIT_OPEN', 'WAITING_STORE']);
const MAX_REASON_CHARS = 500;

/** What is looked at. */
export interface Watched {
  configuration(): Configuration;
  faulty(): readonly FaultyFile[];
  /** Why a processor is stuck; undefined: it is not. */
  stuck(processor: string): string | undefined;
}

type Seen = Omit<Alert, 'before' | 'time'>;

/**
 * Notices what somebody wants to be told of by looking now and then; between two looks the last state counts. Of what is seen for the
 * first time only what is bad is told, so a start tells of what was wrong before it, too.
 *
 * A store that connects anew is neither down nor back: `DOWN` and `READY` are told, what is between them is not.
 */
export class AlertWatch {
  readonly #watched: Watched;
  #seen = new Map<string, Seen>();

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** What has changed since it was looked last. */
  look(now = Date.now()): Alert[] {
    const alerts: Alert[] = [];
    const seen = new Map<string, Seen>();
    for (const next of this.#states()) {
      const key = `${next.kind}\n${next.name}`;
      const before = this.#seen.get(key);
      seen.set(key, next);
      if (before?.state === next.state || (!before && !next.bad)) continue;
      alerts.push({ ...next, before: before?.state, time: now });
    }
    for (const [key, { kind, name, bad }] of this.#seen)
      if (kind === 'artifact' && bad && !seen.has(key))
        alerts.push({ kind, name, state: 'DEPLOYED', before: 'FAULTY', bad: false, time: now });
    this.#seen = seen;
    return alerts;
  }

  *#states(): Generator<Seen> {
    const configuration = this.#watched.configuration();
    for (const name of configuration.names('messageProcessor')) yield* this.#processor(configuration, name);
    for (const name of configuration.names('messageStore')) {
      const status = configuration.find('messageStore', name)?.status();
      if (!status) continue;
      const state = this.#settled(name, status.state);
      const bad = state === 'DOWN';
      yield { kind: 'store', name, state, bad, ...(bad && status.lastError && { reason: shown(status.lastError) }) };
    }
    for (const { path, diagnostics, text } of this.#watched.faulty()) {
      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      const [first] = errors;
      const reason = first && formatDiagnostic(first, { file: path, text }).split('\n')[0];
      const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
      yield { kind: 'artifact', name: path, state: 'FAULTY', bad: true, reason: shown(`${reason ?? ''}${more}`) };
    }
  }

  *#processor(configuration: Configuration, name: string): Generator<Seen> {
    const processor = configuration.find('messageProcessor', name);
    if (!processor) return;
    const { state, reason } = processor.status();
    yield { kind: 'processor', name, state, bad: BAD_PROCESSORS.has(state), ...(reason && { reason: shown(reason) }) };
    const stuck = this.#watched.stuck(name);
    yield {
      kind: 'stuck',
      name,
      state: stuck === undefined ? 'MOVING' : 'STUCK',
      bad: stuck !== undefined,
      ...(stuck !== undefined && { reason: shown(stuck) }),
    };
  }

  #settled(name: string, state: StoreState): StoreState {
    if (state === 'DOWN' || state === 'READY') return state;
    return (this.#seen.get(`store\n${name}`)?.state as StoreState | undefined) ?? 'READY';
  }
}

function shown(reason: string): string {
  return maskSecrets(reason).slice(0, MAX_REASON_CHARS);
}
