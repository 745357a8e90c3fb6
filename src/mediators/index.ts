import type { MediatorDefinition } from '../mediation/component.ts';
import { drop } from './drop.ts';
import { inFilter, outFilter } from './in-out.ts';
import { log } from './log.ts';
import { loopback } from './loopback.ts';
import { property } from './property.ts';
import { propertyGroup } from './property-group.ts';
import { respond } from './respond.ts';
import { send } from './send.ts';
import { sequence } from './sequence.ts';
import { store } from './store.ts';

/** Every mediator that artifacts may use. Adding one = one file and one line here. */
export const MEDIATORS: readonly MediatorDefinition[] = [
  drop,
  inFilter,
  log,
  loopback,
  outFilter,
  property,
  propertyGroup,
  respond,
  send,
  sequence,
  store,
];

/** Mediators of the reference that are not there yet, so that their diagnostic is not "unknown" (spec mediators 2.1). */
export const KNOWN_UNSUPPORTED_MEDIATORS: readonly string[] = [
  'aggregate',
  'annotatedCommand',
  'bean',
  'builder',
  'cache',
  'call',
  'call-template',
  'callout',
  'class',
  'clone',
  'comment',
  'conditionalRouter',
  'dataServiceCall',
  'datamapper',
  'dblookup',
  'dbreport',
  'detach',
  'ejb',
  'enqueue',
  'enrich',
  'entitlementService',
  'eventPublisher',
  'fastXSLT',
  'filter',
  'foreach',
  'header',
  'iterate',
  'jsontransform',
  'makefault',
  'NTLM',
  'oauthService',
  'opa',
  'payloadFactory',
  'pojoCommand',
  'publishEvent',
  'replace',
  'rewrite',
  'RMSequence',
  'router',
  'rule',
  'rules',
  'sampler',
  'scatter-gather',
  'script',
  'seda',
  'smooks',
  'spring',
  'switch',
  'template',
  'throttle',
  'throwError',
  'transaction',
  'validate',
  'variable',
  'xquery',
  'xslt',
];
