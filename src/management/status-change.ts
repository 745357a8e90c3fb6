import type { ManagementAnswer, ManagementRequest } from './managed-server.ts';

/** `{"name":"…","status":"active"|"inactive"}`: what is to be started or stopped (spec proxies 8.4). */
export interface StatusChange {
  readonly name: string;
  readonly active: boolean;
}

/** The change that a request asks for, or the answer that says what is wrong with it, in the reference's words. */
export function readStatusChange({ body, crossOrigin }: ManagementRequest): StatusChange | ManagementAnswer {
  if (crossOrigin) return refusal(403, 'Requests of other origins are refused');
  const written = parseObject(body);
  if (!written) return refusal(400, 'Error when parsing JSON payload');
  const { name, status } = written;
  if (typeof name !== 'string' || typeof status !== 'string') return refusal(400, 'Missing parameters in payload');
  const wanted = status.toLowerCase();
  if (wanted !== 'active' && wanted !== 'inactive') return refusal(400, 'Provided state is not valid');
  return { name, active: wanted === 'active' };
}

function refusal(status: number, text: string): ManagementAnswer {
  return { status, body: { Error: text } };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
