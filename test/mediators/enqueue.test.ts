import { expect, it } from 'vitest';
import { ArtifactReader } from '../../src/grammar/reader.ts';
import { PriorityExecutor } from '../../src/mediation/priority-executor.ts';
import { readPriorityExecutor } from '../../src/synapse/priority-executor.ts';
import {
  element,
  FakeConfiguration,
  FakeExchange,
  logged,
  message,
  problemLines,
  sequence,
} from '../mediation/harness.ts';

const executor = (size = 10, concurrency = 1) =>
  new PriorityExecutor({
    name: 'exec',
    queues: [
      { priority: 1, size },
      { priority: 10, size },
    ],
    concurrency,
  });

function configured(own: PriorityExecutor | undefined) {
  const seen = sequence('<property name="done" value="1"/><respond/>');
  return new FakeConfiguration({ sequence: { seen }, ...(own && { priorityExecutor: { exec: own } }) });
}

const ENQUEUE = '<enqueue executor="exec" sequence="seen" priority="10"/>';

it('leaves a copy to the executor and goes on', async () => {
  const exchange = new FakeExchange();
  const request = message({ body: '<r/>', exchange, configuration: configured(executor()) });
  expect(await sequence(ENQUEUE).mediate(request)).toBe(true);
  expect([exchange.taken, exchange.responses.length]).toEqual([true, 0]);
  await exchange.settled();
  expect(exchange.responses.map((one) => one.text('done'))).toEqual(['1']);
  expect(request.properties.has('done')).toBe(false);
});

it('runs in place without such an executor, with a WARN', async () => {
  const exchange = new FakeExchange();
  const request = message({ exchange, configuration: configured(undefined) });
  const records = await logged(async () => {
    expect(await sequence(ENQUEUE).mediate(request)).toBe(false);
  });
  expect(records.map(({ message: text }) => text)).toContain(
    'Cannot find executor exec. Using existing thread for mediation',
  );
  expect(exchange.responses).toEqual([request]);
});

it('is a fault when the queue is full, or there is no such sequence', () => {
  const full = executor(0);
  expect(() => sequence(ENQUEUE).mediate(message({ configuration: configured(full) }))).toThrow(
    "The queue of priority 10 of the priority executor 'exec' is full",
  );
  const missing = ENQUEUE.replace('seen', 'gone');
  expect(() => sequence(missing).mediate(message({ configuration: configured(full) }))).toThrow(
    'Sequence cannot be found : gone',
  );
});

it('serves higher priorities more often, and starves none', async () => {
  const own = executor(100);
  const order: number[] = [];
  const jobs = [...Array(22).keys()].map((index) => {
    const priority = index % 2 === 0 ? 1 : 10;
    return own.execute(priority, async () => {
      order.push(priority);
    });
  });
  await Promise.all(jobs);
  expect(order.slice(0, 12)).toEqual([...Array(10).fill(10), 1, 10]);
  expect(order).toHaveLength(22);
  expect(own.waiting).toBe(0);
});

it('runs as many at once as it may', async () => {
  const own = executor(100, 3);
  let running = 0;
  let most = 0;
  const job = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, () => own.execute(5, job)));
  expect(most).toBe(3);
});

it('is read from its artifact', () => {
  const read = (xml: string) => {
    const reader = new ArtifactReader();
    const definition = readPriorityExecutor(element(xml), reader);
    return { definition, problems: reader.diagnostics.map(({ message: text }) => text) };
  };
  const queues = '<queues><queue size="10" priority="5"/><queue priority="4"/></queues>';
  expect(
    read(`<priorityExecutor name="e">${queues}<threads max="7" core="2" keep-alive="5"/></priorityExecutor>`),
  ).toEqual({
    definition: {
      name: 'e',
      queues: [
        { priority: 5, size: 10 },
        { priority: 4, size: 10_000 },
      ],
      concurrency: 7,
    },
    problems: [],
  });
  expect(read('<priorityExecutor name="e"/>').problems).toEqual(['Queue configuration must be present']);
  expect(read(`<priorityExecutor>${queues}</priorityExecutor>`).problems).toEqual([
    'Priority executor must have a name',
  ]);
});

it('must name executor and sequence', () => {
  expect(problemLines('<enqueue/>')).toEqual([
    'error: Queue is a required attribue',
    'error: sequence is a required attribue',
  ]);
});
