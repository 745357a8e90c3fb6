import { describe, expect, it } from 'vitest';
import { asMediationError, causeChain, handleFault } from '../../src/mediation/fault.ts';
import { MediationError } from '../../src/message/errors.ts';
import type { MessageContext } from '../../src/message/message-context.ts';
import { FakeExchange, logged, message } from './harness.ts';

function failing() {
  const exchange = new FakeExchange();
  const request = message({ exchange });
  const asked: string[] = [];
  const push = (name: string, act: (faulty: MessageContext) => void = () => {}) =>
    request.faultStack.push({
      description: name,
      handleFault: async (faulty) => {
        asked.push(`${name}: ${faulty.text('ERROR_CODE')} ${faulty.text('ERROR_MESSAGE')}`);
        act(faulty);
      },
    });
  return { exchange, request, asked, push };
}

const text = (faulty: MessageContext, name: string) => faulty.text(name);

describe('the fault stack', () => {
  it('asks the last handler that was pushed, and no other', async () => {
    const { exchange, request, asked, push } = failing();
    push('outer');
    push('inner');
    await handleFault(request, new MediationError('broken', { code: 7 }));
    expect(asked).toEqual(['inner: 7 broken']);
    expect(request.faultStack).toHaveLength(1);
    expect(exchange.failures).toEqual([{ code: 7, message: 'broken' }]);
  });

  it('asks the next one, with the new error, when a handler fails; the client hears of the first', async () => {
    const { exchange, request, asked, push } = failing();
    push('outer');
    push('inner', () => {
      throw new MediationError('the handler is broken too');
    });
    await handleFault(request, new MediationError('broken', { code: 7, status: 504 }));
    expect(asked).toEqual(['inner: 7 broken', 'outer: 0 the handler is broken too']);
    expect(exchange.failures).toEqual([{ code: 7, message: 'broken', status: 504 }]);
  });

  it('never throws, says when nobody is left, and the client still hears of it', async () => {
    const { exchange, request, push } = failing();
    push('only', () => {
      throw new Error('');
    });
    const records = await logged(() => handleFault(request, undefined));
    expect(records.map(({ level, message: line }) => `${level}: ${line}`)).toEqual([
      'error: only failed: Runtime error occurred while mediating the message',
      'warn: Exception encountered but no fault handler found - message dropped: Runtime error occurred while mediating the message',
    ]);
    expect(exchange.failures).toHaveLength(1);
  });
});

describe('a chain of causes', () => {
  it('shows no password that a library has put into its message', () => {
    const cause = new Error('Invalid URL: ws://user:hunter2@host:99999/x');
    expect(causeChain(new MediationError('Unable to send', { code: 101_503, cause }))).toBe(
      'Unable to send: Invalid URL: ws://user:*****@host:99999/x',
    );
  });
});

describe('the ERROR_* properties', () => {
  it('of a send failure carry the composed code and its two parts', async () => {
    const { request } = failing();
    await handleFault(
      request,
      new MediationError('Error in Sender', {
        code: 101_508,
        baseCode: 101_505,
        errorCause: 'closed-waiting',
        detail: 'reset',
      }),
    );
    expect(Object.fromEntries([...request.properties].map(([name, value]) => [name, String(value)]))).toEqual({
      ERROR_CODE: '101508',
      BASE_ERROR_CODE: '101505',
      PROTOCOL_STATE_ON_FAILURE: '3',
      ERROR_MESSAGE: 'Error in Sender',
      ERROR_DETAIL: 'reset',
      ERROR_CAUSE: 'closed-waiting',
      ERROR_EXCEPTION: 'MediationError: Error in Sender',
    });
  });

  it('replace those of an earlier failure (REQ-11)', async () => {
    const { request } = failing();
    await handleFault(
      request,
      new MediationError('first', { code: 101_503, baseCode: 101_503, errorCause: 'refused' }),
    );
    await handleFault(request, new MediationError('second'));
    expect(text(request, 'ERROR_CODE')).toBe('0');
    expect(text(request, 'ERROR_MESSAGE')).toBe('second');
    for (const name of ['BASE_ERROR_CODE', 'PROTOCOL_STATE_ON_FAILURE', 'ERROR_CAUSE'])
      expect(text(request, name)).toBeUndefined();
  });

  it('have the first line as message, the causes as detail, and no stack trace (MREQ-6)', async () => {
    const { request } = failing();
    const cause = new Error('the root', { cause: new Error('the very root') });
    await handleFault(request, new Error('one\ntwo', { cause }));
    expect(text(request, 'ERROR_MESSAGE')).toBe('one');
    expect(text(request, 'ERROR_DETAIL')).toBe('one\ntwo: the root: the very root');
    expect([...request.properties.values()].join('\n')).not.toContain('    at ');
  });

  it('are bounded', async () => {
    const { request } = failing();
    await handleFault(request, new MediationError('broken', { detail: 'x'.repeat(1_000_000) }));
    expect(text(request, 'ERROR_DETAIL')).toHaveLength(4096);
  });
});

it('any thrown thing becomes a mediation failure', () => {
  const own = new MediationError('mine');
  expect(asMediationError(own)).toBe(own);
  expect(asMediationError(new TypeError('theirs'))).toMatchObject({ name: 'MediationError', message: 'theirs' });
  for (const thrown of [undefined, null, 'text', new Error('')])
    expect(asMediationError(thrown).message).toBe('Runtime error occurred while mediating the message');
});
