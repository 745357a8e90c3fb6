import { counted } from '../logging/counted.ts';
import { searched } from './list.ts';
import type { ManagedServer } from './managed-server.ts';

/**
 * Is the server ready for work, and what is not as it should be (OP-74)? Stores that are down and processors that stand still are
 * reasons that are told and do not make it unready, unless the configuration says so: `[management] required_stores`, `strict_health`.
 */
export function readiness(server: ManagedServer): { live: true; ready: boolean; reasons: string[] } {
  const configuration = server.configuration();
  const reasons: string[] = [];
  const { requiredStores, strictHealth } = server.options.management;
  let { ready } = server.health;
  if (!ready) reasons.push('The first deployment is not done, or a listener is not open, or the server is stopping');
  for (const store of searched(configuration, 'messageStore', undefined)) {
    const { state, lastError } = store.status();
    if (state === 'READY') continue;
    const required = requiredStores.includes(store.name);
    if (required) ready = false;
    const why = lastError === undefined ? '' : `: ${lastError}`;
    reasons.push(`Store [${store.name}]${required ? ', which is required,' : ''} is ${state}${why}`);
  }
  for (const processor of searched(configuration, 'messageProcessor', undefined)) {
    const { state, reason } = processor.status();
    if (state === 'ACTIVE' || state === 'PAUSED') continue;
    reasons.push(`Message processor [${processor.name}] is ${state}${reason === undefined ? '' : `: ${reason}`}`);
  }
  const faulty = server.faultyArtifacts();
  if (faulty.length > 0 && strictHealth) ready = false;
  if (faulty.length > 0)
    reasons.push(
      `${counted(faulty.length, 'artifact file is', 'artifact files are')} faulty: ${faulty.map(({ file }) => file).join(', ')}`.slice(
        0,
        1000,
      ),
    );
  return { live: true, ready, reasons };
}
