import type { MediatorDefinition } from '../mediation/component.ts';
import { builder } from './builder.ts';
import { call } from './calling/call.ts';
import { callTemplate } from './calling/call-template.ts';
import { callout } from './calling/callout.ts';
import { classMediator } from './calling/class.ts';
import { eventPublisher, publishEvent } from './calling/event-publishers.ts';
import { comment } from './comment.ts';
import { dblookup } from './database/dblookup.ts';
import { dbreport } from './database/dbreport.ts';
import { transaction } from './database/transaction.ts';
import { detach } from './detach.ts';
import { drop } from './drop.ts';
import { header } from './header.ts';
import { inFilter, outFilter } from './in-out.ts';
import { cache } from './limiting/cache.ts';
import { enqueue } from './limiting/enqueue.ts';
import { throttle } from './limiting/throttle.ts';
import { log } from './log.ts';
import { loopback } from './loopback.ts';
import { makefault } from './makefault.ts';
import { enrich } from './payload/enrich.ts';
import { jsonTransform } from './payload/json-transform.ts';
import { payloadFactory } from './payload/payload-factory.ts';
import { variable } from './payload/variable.ts';
import { property } from './property.ts';
import { propertyGroup } from './property-group.ts';
import { REFUSED_MEDIATORS } from './refused.ts';
import { respond } from './respond.ts';
import { conditionalRouter } from './routing/conditional-router.ts';
import { filter } from './routing/filter.ts';
import { rewrite } from './routing/rewrite.ts';
import { router } from './routing/router.ts';
import { switchMediator } from './routing/switch.ts';
import { send } from './send.ts';
import { sequence } from './sequence.ts';
import { aggregate } from './splitting/aggregate.ts';
import { clone } from './splitting/clone.ts';
import { foreach } from './splitting/foreach.ts';
import { iterate } from './splitting/iterate.ts';
import { sampler } from './splitting/sampler.ts';
import { scatterGather } from './splitting/scatter-gather.ts';
import { store } from './store.ts';
import { throwError } from './throw-error.ts';
import { datamapper } from './transform/datamapper.ts';
import { fastXslt } from './transform/fast-xslt.ts';
import { script } from './transform/script.ts';
import { xquery } from './transform/xquery.ts';
import { xslt } from './transform/xslt.ts';
import { validate } from './validation/validate.ts';

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
