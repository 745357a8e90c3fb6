import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_SUSPENSION, EndpointSuspension, type SuspensionRules } from '../../src/endpoints/suspension.ts';
import { onLogRecord } from '../../src/logging/index.ts';

let now = 0;

function endpoint(rules: {
  mark?: Partial<SuspensionRules['markForSuspension']>;
  suspend?: Partial<SuspensionRules['suspendOnFailure']>;
  /** Equal lines of many tests would be collapsed by the log. */
  name?: string;
}): EndpointSuspension {
  const merged: SuspensionRules = {
    markForSuspension: { ...DEFAULT_SUSPENSION.markForSuspension, ...rules.mark },
    suspendOnFailure: { ...DEFAULT_SUSPENSION.suspendOnFailure, ...rules.suspend },
  };
  return new EndpointSuspension(merged, `Endpoint : ${rules.name ?? 'E'} with address http://x`, () => now);
}

/** How long the endpoint is out after each of a row of failures. */
function waits(suspension: EndpointSuspension, code: number, failures: number): number[] {
  const found: number[] = [];
  for (let index = 0; index < failures; index += 1) {
    suspension.failed(code);
    found.push(suspension.readyAt - now);
    now = suspension.readyAt;
  }
  return found;
}

beforeEach(() => {
  now = 1_000_000;
});

describe('the state machine of an endpoint (spec proxies 5.2)', () => {
  it('suspends an endpoint without configuration for 30 s after any failure', () => {
    for (const code of [101503, 101504, 101505, 101507, 101508]) {
      const suspension = endpoint({});
      suspension.failed(code);
      expect(suspension.state).toBe('SUSPENDED');
      expect(suspension.readyAt - now).toBe(30_000);
      expect(suspension.ready).toBe(false);
      now += 30_000;
      expect(suspension.ready).toBe(true);
      expect(suspension.state).toBe('SUSPENDED');
    }
  });

  it('lengthens suspensions by the factor up to the maximum and starts again after a success (scenario G)', () => {
    const suspension = endpoint({
      suspend: { initialDurationMs: 1000, progressionFactor: 2, maximumDurationMs: 8000 },
    });
    expect(waits(suspension, 101503, 5)).toEqual([1000, 2000, 4000, 8000, 8000]);
    suspension.succeeded();
    expect(suspension.state).toBe('ACTIVE');
    expect(waits(suspension, 101503, 2)).toEqual([1000, 2000]);
  });

  it('marks TIMEOUT while retries remain and does not refill them before a success', () => {
    const suspension = endpoint({
      mark: { errorCodes: [101504], retriesBeforeSuspension: 2, retryDelayMs: 500 },
      suspend: { initialDurationMs: 1000, progressionFactor: 2 },
    });
    suspension.failed(101504);
    expect([suspension.state, suspension.readyAt - now]).toEqual(['TIMEOUT', 500]);
    suspension.failed(101504);
    expect(suspension.state).toBe('TIMEOUT');
    expect(waits(suspension, 101504, 2)).toEqual([1000, 2000]);
    suspension.succeeded();
    suspension.failed(101504);
    expect(suspension.state).toBe('TIMEOUT');
  });

  it('is switched off by error code -1 in both lists, and by an initial duration of 0', () => {
    const never = endpoint({ mark: { errorCodes: [-1] }, suspend: { errorCodes: [-1] } });
    never.failed(101503);
    never.failed(101504);
    expect(never.state).toBe('ACTIVE');
    const atOnce = endpoint({ suspend: { initialDurationMs: 0, progressionFactor: 2 } });
    expect(waits(atOnce, 101503, 3)).toEqual([0, 0, 0]);
    expect(atOnce.ready).toBe(true);
  });

  it('sends timeouts to the suspend list when only markForSuspension is -1', () => {
    const suspension = endpoint({ mark: { errorCodes: [-1] } });
    suspension.failed(101504);
    expect(suspension.state).toBe('SUSPENDED');
  });

  it('ignores a code that neither list names, and a missing code', () => {
    const suspension = endpoint({ mark: { errorCodes: [101504] }, suspend: { errorCodes: [101503] } });
    suspension.failed(101508);
    suspension.failed(undefined);
    expect(suspension.state).toBe('ACTIVE');
  });

  it('obeys the operator: OFF stays off whatever happens, ON starts fresh', () => {
    const suspension = endpoint({});
    suspension.switchOff();
    suspension.failed(101503);
    suspension.succeeded();
    expect([suspension.state, suspension.readyAt]).toEqual(['OFF', Number.POSITIVE_INFINITY]);
    suspension.switchOn();
    expect([suspension.state, suspension.ready]).toEqual(['ACTIVE', true]);
  });

  it('writes the lines that operators look for', () => {
    const lines: string[] = [];
    const stop = onLogRecord((record) => lines.push(`${record.level} ${record.message}`));
    const suspension = endpoint({ name: 'Shop', suspend: { initialDurationMs: 1000, progressionFactor: 2 } });
    suspension.failed(101503);
    suspension.failed(101503);
    suspension.succeeded();
    stop();
    const date = '[A-Z][a-z]{2} [A-Z][a-z]{2} \\d\\d \\d\\d:\\d\\d:\\d\\d \\S+ \\d{4}';
    const expected = [
      'warn Endpoint : Shop with address http://x will be marked SUSPENDED as it failed',
      `warn Suspending endpoint : Shop with address http://x - current suspend duration is : 1000ms - Next retry after : ${date}`,
      'warn Endpoint : Shop with address http://x will be marked SUSPENDED as it failed',
      `warn Suspending endpoint : Shop with address http://x - last suspend duration was : 1000ms and current suspend duration is : 2000ms - Next retry after : ${date}`,
      'info Endpoint : Shop with address http://x currently SUSPENDED will now be marked active since it processed its last message',
    ];
    expect(lines).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(lines[index]).toMatch(new RegExp(`^${pattern}$`));
  });
});
