import type { MessageStoreDefinition } from '../../synapse/message-store.ts';
import { bytes } from '../show/quantities.ts';
import { checkOf, type Finding, ok, reasonOf, warning, wrong } from './finding.ts';
import { attemptsOf, deadLetterTargets, type StoreSurroundings } from './surroundings.ts';

/**
 * Connects to what a store needs, as the server would, and tells what it finds, one line for each of {@link STORE_CHECKS} (OP-19).
 * Changes nothing there: neither queues nor tables are made.
 */
export async function checkStore(
  definition: MessageStoreDefinition,
  surroundings: StoreSurroundings,
): Promise<readonly Finding[]> {
  const subject = `store ${definition.name}`;
  try {
    return await findings(definition, surroundings);
  } catch (error) {
    return [wrong(subject, reasonOf(error), checkOf(error))];
  }
}

async function findings(definition: MessageStoreDefinition, surroundings: StoreSurroundings) {
  const { name, kind } = definition;
  switch (kind.type) {
    case 'in-memory-message-store':
      return inMemory(definition, surroundings);
    case 'jms-message-store':
      return await (await import('./stomp-store.ts')).checkStomp(definition, surroundings);
    case 'rabbitmq-message-store':
      return await (await import('./rabbitmq-store.ts')).checkRabbitMq(definition, surroundings);
    case 'jdbc-message-store':
    case 'resequence-message-store':
      return await (await import('./database-store.ts')).checkDatabase(definition, surroundings);
    default:
      return [warning(`store ${name}`, `${kind.type} is a module of yours, which is not run here`)];
  }
}

function inMemory({ name, written }: MessageStoreDefinition, surroundings: StoreSurroundings): readonly Finding[] {
  const subject = `store ${name}`;
  const kept = written.get('x.journal')?.toLowerCase() === 'true';
  const persistence = kept
    ? ok(subject, 'messages are in the journal of the data folder, and survive a crash', 'persistence')
    : warning(
        subject,
        'messages are delivered while the server lives, and gone when it is killed; x.journal=true keeps them',
        'persistence',
      );
  return [
    ok(subject, 'in memory: nothing is connected to', 'reachability'),
    ok(subject, 'none needed', 'credentials'),
    ok(subject, 'none needed', 'heart-beat'),
    ok(subject, 'one message at a time for each worker', 'prefetch'),
    persistence,
    ok(subject, `requests have at most ${bytes(surroundings.maxBodyBytes)}`, 'size limits'),
    ...deadLetterTargets(name, surroundings),
    ok(subject, `none: ${attemptsOf(name, surroundings)}`, 'delivery limit'),
    ok(subject, 'the clock is that of this machine', 'clock skew'),
  ];
}
