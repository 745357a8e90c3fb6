import type { MediatorDefinition } from '../mediation/component.ts';
import { aggregate } from './aggregate.ts';
import { builder } from './builder.ts';
import { cache } from './cache.ts';
import { call } from './call.ts';
import { callTemplate } from './call-template.ts';
import { callout } from './callout.ts';
import { classMediator } from './class.ts';
import { clone } from './clone.ts';
import { comment } from './comment.ts';
import { conditionalRouter } from './conditional-router.ts';
import { datamapper } from './datamapper.ts';
import { dblookup } from './dblookup.ts';
import { dbreport } from './dbreport.ts';
import { detach } from './detach.ts';
import { drop } from './drop.ts';
import { enqueue } from './enqueue.ts';
import { enrich } from './enrich.ts';
import { eventPublisher, publishEvent } from './event-publishers.ts';
import { fastXslt } from './fast-xslt.ts';
import { filter } from './filter.ts';
import { foreach } from './foreach.ts';
import { header } from './header.ts';
import { inFilter, outFilter } from './in-out.ts';
import { iterate } from './iterate.ts';
import { jsonTransform } from './json-transform.ts';
import { log } from './log.ts';
import { loopback } from './loopback.ts';
import { makefault } from './makefault.ts';
import { payloadFactory } from './payload-factory.ts';
import { property } from './property.ts';
import { propertyGroup } from './property-group.ts';
import { REFUSED_MEDIATORS } from './refused.ts';
import { respond } from './respond.ts';
import { rewrite } from './rewrite.ts';
import { router } from './router.ts';
import { sampler } from './sampler.ts';
import { scatterGather } from './scatter-gather.ts';
import { script } from './script.ts';
import { send } from './send.ts';
import { sequence } from './sequence.ts';
import { store } from './store.ts';
import { switchMediator } from './switch.ts';
import { throttle } from './throttle.ts';
import { throwError } from './throw-error.ts';
import { transaction } from './transaction.ts';
import { validate } from './validate.ts';
import { variable } from './variable.ts';
import { xquery } from './xquery.ts';
import { xslt } from './xslt.ts';

/** Every mediator that artifacts may use. Adding one = one file and one line here. */
export const MEDIATORS: readonly MediatorDefinition[] = [
  aggregate,
  builder,
  call,
  callout,
  callTemplate,
  classMediator,
  clone,
  comment,
  conditionalRouter,
  dblookup,
  dbreport,
  detach,
  drop,
  enrich,
  filter,
  foreach,
  header,
  inFilter,
  iterate,
  jsonTransform,
  log,
  loopback,
  makefault,
  outFilter,
  payloadFactory,
  property,
  propertyGroup,
  respond,
  rewrite,
  router,
  scatterGather,
  send,
  sequence,
  store,
  switchMediator,
  throwError,
  transaction,
  validate,
  cache,
  enqueue,
  sampler,
  throttle,
  variable,
  datamapper,
  eventPublisher,
  fastXslt,
  publishEvent,
  script,
  xquery,
  xslt,
  ...REFUSED_MEDIATORS,
];
