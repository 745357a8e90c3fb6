import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ChildSelection,
  FirstReady,
  RoundRobin,
  StayWithOne,
  WeightedRoundRobin,
} from '../../src/endpoints/algorithms.ts';
import type { Endpoint, EndpointStatus } from '../../src/endpoints/endpoint.ts';
import { FailingOverGroup } from '../../src/endpoints/failing-over-group.ts';
import { MediationError } from '../../src/message/errors.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';
import { message } from '../mediation/harness.ts';
import { refused } from './scripted-back-ends.ts';

const POSITION = { file: 'test.xml', line: 1, column: 1 };

type Reaction = 'answers' | 'refuses' | 'refuses and is suspended' | 'hangs a while';

/** A child whose readiness and answers are scripted, and that remembers who came while it was not ready. */
class ScriptedChild implements Endpoint {
  readonly name: string;
  readonly kind = 'address';
  readonly position = POSITION;
  readonly #reactions: Reaction[];
  readonly #tries: Array<{ child: string; message: MessageContext; ready: boolean }>;
  ready: boolean;

  constructor(name: string, ready: boolean, reactions: Reaction[], tries: ScriptedChild['tries']) {
    this.name = name;
    this.ready = ready;
    this.#reactions = [...reactions];
    this.#tries = tries;
  }

  get tries() {
    return this.#tries;
  }

  readyAt(): number {
    return this.ready ? 0 : Number.POSITIVE_INFINITY;
  }

  describe(): EndpointStatus {
    return {
      state: this.ready ? 'ACTIVE' : 'SUSPENDED',
      nextRetryTime: this.readyAt() || undefined,
      address: this.name,
    };
  }

  async send(request: MessageContext): Promise<MessageContext> {
    this.#tries.push({ child: this.name, message: request, ready: this.ready });
    const reaction = this.#reactions.shift() ?? 'answers';
    if (reaction === 'refuses and is suspended') this.ready = false;
    if (reaction === 'hangs a while') await new Promise((resolve) => setImmediate(resolve));
    if (reaction.startsWith('refuses')) throw refused();
    return request.responseContext(Payload.ofText(this.name));
  }
}

const reaction = fc.constantFrom<Reaction>('answers', 'refuses', 'refuses and is suspended', 'hangs a while');
const child = fc.record({ ready: fc.boolean(), reactions: fc.array(reaction, { maxLength: 12 }) });
type MakeSelection = (count: number) => ChildSelection;

const selection = fc.constantFrom<MakeSelection[]>(
  (count: number) => new RoundRobin(count),
  (count: number) => new WeightedRoundRobin(Array.from({ length: count }, (_, index) => 1 + (index % 3))),
  (count: number) => new FirstReady(count),
  (count: number) => new StayWithOne(count),
);

function group(children: Endpoint[], make: MakeSelection): FailingOverGroup {
  return new FailingOverGroup({
    name: 'G',
    kind: 'loadbalance',
    position: POSITION,
    properties: [],
    onError: undefined,
    children,
    selection: make(children.length),
    failover: true,
    buildMessage: false,
    affinity: undefined,
  });
}

describe('a group, whatever its children do and however many messages are on their way', () => {
  it('tries ready children only, each at most once per message, and gives up only when none is left', async () => {
    const scenario = fc.record({
      children: fc.array(child, { minLength: 1, maxLength: 5 }),
      nested: fc.boolean(),
      make: selection,
      messages: fc.integer({ min: 1, max: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ children: scripts, nested, make, messages }) => {
        const tries: ScriptedChild['tries'] = [];
        const children = scripts.map(({ ready, reactions }, index) => {
          return new ScriptedChild(`child${index}`, ready, reactions, tries);
        });
        const half = Math.ceil(children.length / 2);
        const parts: Endpoint[] = nested ? [group(children.slice(0, half), make), ...children.slice(half)] : children;
        const target = group(parts, make);
        const requests = Array.from({ length: messages }, () => message({ body: '<a/>' }));
        const outcomes = await Promise.allSettled(requests.map((request) => target.send(request)));

        expect(tries.filter(({ ready }) => !ready)).toEqual([]);
        for (const [index, request] of requests.entries()) {
          const tried = tries.filter((one) => one.message === request).map((one) => one.child);
          expect(new Set(tried).size).toBe(tried.length);
          const outcome = outcomes[index];
          if (outcome?.status === 'fulfilled') expect(outcome.value.payload.text()).toBe(tried.at(-1));
          else {
            expect(outcome?.reason).toBeInstanceOf(MediationError);
            expect(outcome?.reason).toMatchObject({ code: 303000 });
            const left = children.filter((one) => one.ready && !tried.includes(one.name));
            expect(left.map(({ name }) => name)).toEqual([]);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('spreads messages evenly by round robin while all is well', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 40 }), async (count, messages) => {
        const tries: ScriptedChild['tries'] = [];
        const children = Array.from({ length: count }, (_, index) => new ScriptedChild(`${index}`, true, [], tries));
        const target = group(children, (size) => new RoundRobin(size));
        await Promise.all(Array.from({ length: messages }, () => target.send(message({ body: '<a/>' }))));
        const counts = children.map(({ name }) => tries.filter((one) => one.child === name).length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 50 },
    );
  });
});
