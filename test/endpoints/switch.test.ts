import { expect, it } from 'vitest';
import { MediationError } from '../../src/message/errors.ts';
import { endpoint, FakeConfiguration, message } from '../mediation/harness.ts';

const XML =
  '<endpoint name="E"><address uri="http://u:topsecret@b/x"><markForSuspension><errorCodes>101504</errorCodes><retriesBeforeSuspension>2</retriesBeforeSuspension></markForSuspension></address></endpoint>';

it('an endpoint that is switched off is not sent to until it is switched on', async () => {
  const configuration = new FakeConfiguration({}, 5000);
  const target = endpoint(XML);
  target.switchTo?.(false);
  expect(target.describe()).toMatchObject({ state: 'OFF', nextRetryTime: Number.POSITIVE_INFINITY });
  await expect(target.send(message({ configuration, body: '<a/>' }))).rejects.toBeInstanceOf(MediationError);
  expect(configuration.sender.requests).toHaveLength(0);
  target.switchTo?.(true);
  expect(target.describe()).toMatchObject({ state: 'ACTIVE', nextRetryTime: undefined });
  await target.send(message({ configuration, body: '<a/>' }));
  expect(configuration.sender.requests).toHaveLength(1);
});

it('tells its last error without credentials, and how often it may still fail', async () => {
  const configuration = new FakeConfiguration({}, 5000);
  configuration.sender.answer = () => {
    throw new MediationError('no answer from http://u:topsecret@b/x', { code: 101504 });
  };
  const target = endpoint(XML);
  expect(target.describe()).toMatchObject({ retriesLeft: 2 });
  await expect(target.send(message({ configuration, body: '<a/>' }), { blocking: true })).rejects.toThrow();
  const { state, retriesLeft, lastError } = target.describe();
  expect([state, retriesLeft]).toEqual(['TIMEOUT', 1]);
  expect(lastError).toBe('no answer from http://u:*****@b/x');
});
