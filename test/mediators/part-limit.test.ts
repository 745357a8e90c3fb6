import { describe, expect, it } from 'vitest';
import { admitParts } from '../../src/mediators/splitting/part-limit.ts';
import type { Configuration } from '../../src/message/configuration.ts';
import { MediationError } from '../../src/message/errors.ts';
import { MessageContext } from '../../src/message/message-context.ts';
import { Payload } from '../../src/message/payload.ts';

const message = (services: { maxParts?: number }) =>
  new MessageContext({ version: 1, services, find: () => undefined } as unknown as Configuration, Payload.empty());

describe('the number of parts', () => {
  it('is a million unless configured', () => {
    expect(() => admitParts(message({}), 1_000_000, 'iterate')).not.toThrow();
    expect(() => admitParts(message({}), 1_000_001, 'iterate')).toThrow(
      'iterate: the message has 1000001 parts, more than the 1000000 that are allowed',
    );
  });

  it('is what is configured, and the fault says where', () => {
    expect(() => admitParts(message({ maxParts: 3 }), 3, 'foreach')).not.toThrow();
    try {
      admitParts(message({ maxParts: 3 }), 4, 'foreach');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(MediationError);
      expect((error as MediationError).detail).toBe('[mini_synapse] max_parts');
    }
  });
});
