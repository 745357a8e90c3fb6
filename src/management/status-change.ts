import { jsonBody } from './bodies.ts';
import { ManagementError } from './management-error.ts';
import type { JsonSchema } from './resource.ts';
import { TEXT } from './schemas.ts';
import { SWITCH_PROPERTIES, type SwitchWishes } from './tracing-switch.ts';

/** `{"name":"…","status":"active"|"inactive"}`: what is to be started or stopped (spec proxies 8.4). */
export interface StatusChange {
  readonly name: string;
  readonly status: string;
}

const NAME = { type: 'string', minLength: 1 } as const satisfies JsonSchema;
const STATUS = { type: 'string', description: 'active or inactive, in any case' } as const satisfies JsonSchema;

export const statusChangeBody = jsonBody<StatusChange>({
  type: 'object',
  required: ['name', 'status'],
  properties: { name: NAME, status: STATUS },
});

/** The reference's bodies where tracing is switched by the same resource; some of its clients call the name differently. */
export interface ArtifactChange extends SwitchWishes {
  readonly name?: string;
  readonly status?: string;
  readonly [alias: string]: string | undefined;
}

/** @param alias another member that may have the name, for example `proxyName` */
export function artifactChangeBody(alias: string) {
  return jsonBody<ArtifactChange>({
    type: 'object',
    anyOf: [{ required: ['name'] }, { required: [alias] }],
    properties: { name: NAME, [alias]: TEXT, status: STATUS, ...SWITCH_PROPERTIES },
  });
}

/** @throws ManagementError 400 in the reference's words for a status that there is not, or when none is said */
export function isActivation(status: string | undefined): boolean {
  if (status === undefined) throw new ManagementError(400, 'Missing parameters in payload');
  const wanted = status.toLowerCase();
  if (wanted !== 'active' && wanted !== 'inactive') throw new ManagementError(400, 'Provided state is not valid');
  return wanted === 'active';
}
