import { listOf } from '../list.ts';
import type { ManagedServer } from '../managed-server.ts';
import { readiness } from '../readiness.ts';
import { type Answer, type JsonSchema, type Resource, resource } from '../resource.ts';
import { object, TEXT, TEXTS } from '../schemas.ts';

const LIVE: JsonSchema = { type: 'object', required: ['server'], properties: { server: { const: 'started' } } };
const READINESS: JsonSchema = {
  type: 'object',
  required: ['version', 'status', 'faultyArtifacts', 'reasons'],
  properties: {
    version: { type: 'string' },
    status: { enum: ['ready', 'not ready'] },
    faultyArtifacts: { type: 'integer', minimum: 0 },
    reasons: { type: 'array', items: { type: 'string' } },
  },
};

const LISTED = listOf(object({ file: TEXT, problems: TEXTS }));

function health(
  path: string,
  summary: string,
  answers: Resource['answers'],
  answer: (server: ManagedServer) => Answer,
  role: 'public' | 'viewer' = 'public',
) {
  return resource({
    method: 'GET',
    path,
    role,
    summary,
    tag: 'health',
    answers,
    answer: (_request, server) => answer(server),
  });
}

const live = () => ({ status: 200, body: { server: 'started' } });

/** 200 once the first deployment is done and every listener is open; a faulty artifact does not make a running server unready (OP-74). */
function ready(server: ManagedServer): Answer {
  const { ready: isReady, reasons } = readiness(server);
  const faultyArtifacts = server.faultyArtifacts().length;
  // Names and errors are for those who have logged in.
  const told = server.security.needsLogin ? [] : reasons;
  const body = {
    version: server.health.version,
    // There are versions only; clients of the reference's read the member.
    update_level: '0',
    status: isReady ? 'ready' : 'not ready',
    faultyArtifacts,
    reasons: told,
  };
  return { status: isReady ? 200 : 503, body };
}

function artifacts(server: ManagedServer): Answer {
  const list = server.faultyArtifacts();
  return { status: 200, body: { count: list.length, list } };
}

/** Health resources and the names that they have in the reference and in Kubernetes (OP-74, spec proxies 8.5). */
export const healthResources: readonly Resource[] = [
  health('/liveness', 'Does the server answer?', { 200: LIVE }, live),
  health('/health/live', 'Does the server answer?', { 200: LIVE }, live),
  health('/healthz', 'Is the server ready for work?', { 200: READINESS, 503: READINESS }, ready),
  health('/health/ready', 'Is the server ready for work?', { 200: READINESS, 503: READINESS }, ready),
  health('/health/artifacts', 'Artifacts that could not be deployed', { 200: LISTED }, artifacts, 'viewer'),
];
