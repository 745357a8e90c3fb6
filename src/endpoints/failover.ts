import { javaBoolean } from '../grammar/attributes.ts';
import { FirstReady, StayWithOne } from './algorithms.ts';
import { readChildren } from './children.ts';
import { groupKind } from './component.ts';
import { FailingOverGroup } from './failing-over-group.ts';

/** `<failover>`: one child after another until one answers (spec proxies 5.6). */
export const failover = groupKind({
  element: 'failover',
  doc: 'Sends to the first child that is ready, and after a failure to the next one; every child is tried once per message.',
  attributes: {
    dynamic: javaBoolean({
      default: true,
      doc: 'True: every message starts with the first ready child. False: with the one that was used last, until that fails.',
    }),
    buildMessage: javaBoolean({ default: false, doc: 'Reads the whole payload before the first attempt.' }),
  },
  children: ['endpoint'],
  read({ element, attributes, reader, frame, session, readEndpoint }) {
    if (session) reader.warning(session, '<session> is ignored: only <loadbalance> keeps sessions together');
    const group = { title: 'FailoverLoadbalance', name: frame.name };
    const children = readChildren(element, reader, group, readEndpoint)?.map(({ endpoint }) => endpoint);
    if (!children) return undefined;
    const { dynamic, buildMessage } = attributes;
    return new FailingOverGroup({
      ...frame,
      kind: 'failover',
      children,
      selection: dynamic ? new FirstReady(children.length) : new StayWithOne(children.length),
      failover: true,
      buildMessage,
      affinity: undefined,
    });
  },
});
