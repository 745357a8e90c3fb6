import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LogRecord, logger, onLogRecord, placeArtifact } from '../../src/logging/index.ts';
import { shownRecord } from '../../src/logging/shown-record.ts';
import { freePort } from '../support/free-ports.ts';
import { type InProcess, serve } from '../support/in-process.ts';
import { waitFor } from '../support/wait-for.ts';

const START_MS = 120_000;
const FORWARDER = 'org.apache.synapse.message.processor.impl.forwarder.ScheduledMessageForwardingProcessor';
/** What stores and processors write of themselves: the classes of the reference, and ours. */
const OTHERS = /^(?:AUDIT_LOG|ArtifactFolder|Deployer|MessageStoreFactory|MessageProcessorFactory)$/;

describe('lines that name a store or a processor (OP-70)', () => {
  let served: InProcess;
  beforeAll(async () => {
    const port = await freePort();
    served = await serve({
      Far: `<messageStore name="Far" class="org.apache.synapse.message.store.impl.jms.JmsStore">
        <parameter name="java.naming.factory.initial">org.apache.activemq.jndi.ActiveMQInitialContextFactory</parameter>
        <parameter name="java.naming.provider.url">tcp://127.0.0.1:${port}</parameter>
        <parameter name="x.stomp.url">stomp://127.0.0.1:${port}</parameter></messageStore>`,
      Near: '<messageStore name="Near"/>',
      E: '<endpoint name="E"><address uri="http://127.0.0.1:9/"/></endpoint>',
      F: `<messageProcessor name="F" class="${FORWARDER}" messageStore="Far" targetEndpoint="E"/>`,
    });
  }, START_MS);
  afterAll(() => served?.stop());

  it('say where it stands, whatever they are about', async () => {
    const ofFar = () => served.records.filter(({ message }) => /store:? \[?Far\b/i.test(message));
    await waitFor(() => ofFar().some(({ level }) => level === 'error'), { what: 'the store to tell of its broker' });
    const lines = served.records.filter(({ category, message, details }) => {
      const named = details.store !== undefined || details.processor !== undefined || /\b(?:Far|Near)\b/.test(message);
      return named && !OTHERS.test(category);
    });
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines)
      expect(shownRecord(line), line.message).toMatchObject({
        artifact: { kind: expect.stringMatching(/^message(?:Store|Processor)$/), name: expect.any(String) },
        file: expect.stringMatching(/(?:Far|Near|F)\.xml$/),
        line: expect.any(Number),
      });
    expect(lines.find(({ details }) => details.store === 'Near')?.details).toMatchObject({
      artifactKind: 'messageStore',
      artifact: 'Near',
    });
  });
});

describe('the place of an artifact', () => {
  const records: LogRecord[] = [];
  const log = logger('Places');
  let stop: () => void;
  beforeAll(() => {
    placeArtifact('messageStore', 'Placed', { file: 'placed.xml', line: 7 });
    placeArtifact('messageProcessor', 'Worker', { file: 'worker.xml', line: 3 });
    stop = onLogRecord((record) => records.push(record));
  });
  afterAll(() => stop());
  const detailsOf = (details: Record<string, string | number>) => {
    log.info('one', details);
    return records.at(-1)?.details;
  };

  it.each([
    [{ store: 'Placed' }, { artifactKind: 'messageStore', artifact: 'Placed', file: 'placed.xml', line: 7 }],
    [
      { store: 'Placed', processor: 'Worker' },
      { artifactKind: 'messageProcessor', artifact: 'Worker', file: 'worker.xml', line: 3 },
    ],
    // What the line tells itself stays.
    [
      { store: 'Placed', artifact: 'P', artifactKind: 'proxy' },
      { artifact: 'P', artifactKind: 'proxy', line: 7 },
    ],
  ])('%j gets %j', (details, more) => {
    expect(detailsOf(details)).toEqual({ ...details, file: expect.any(String), ...more });
  });

  it.each([{ store: 'Placed', file: 'p.xml', line: 1 }, { store: 'Unknown' }, { path: '/x' }])(
    '%j is as it was',
    (details) => {
      expect(detailsOf(details)).toEqual(details);
    },
  );
});
