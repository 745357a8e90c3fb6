import {
  DESCRIPTION,
  integer,
  nonEmptyText,
  readAttributes,
  text,
  type ValuesOf,
  type ValueType,
} from '../grammar/attributes.ts';
import { nearestName } from '../grammar/diagnostic.ts';
import type { ConfigElement } from '../grammar/element.ts';
import { resolvePlaceholders } from '../grammar/placeholders.ts';
import { quartzValueError } from '../grammar/quartz.ts';
import type { ArtifactReader } from '../grammar/reader.ts';
import { LONGEST_INTERVAL, parseQuartzSchedule } from '../scheduling/index.ts';
import type { InjectionFormat, InjectionTarget, MessageInjection } from '../tasks/message-injector.ts';
import type { TaskDefinition, TaskSchedule } from '../tasks/task.ts';

const MESSAGE_INJECTOR = 'org.apache.synapse.startup.tasks.MessageInjector';

const ATTRIBUTES = {
  name: nonEmptyText({
    required: true,
    missing: 'Name for a task is required, missing name in the task',
    doc: 'Its name.',
  }),
  class: nonEmptyText({ default: MESSAGE_INJECTOR, doc: `What it does: \`${MESSAGE_INJECTOR}\`.` }),
  group: text({ default: 'synapse.simple.quartz', doc: 'Its group in the scheduler.' }),
  pinnedServers: text({ doc: 'The servers it runs on; absent: every one.' }),
  description: DESCRIPTION,
} as const;

/** Reads a `<task>` (spec proxies 6.6); undefined after an error, all of which are reported. */
export function readTask(element: ConfigElement, reader: ArtifactReader): TaskDefinition | undefined {
  const attributes = readAttributes(element, ATTRIBUTES, reader);
  reader.warnUnknownChildren(element, ['description', 'property', 'trigger']);
  const schedule = readSchedule(element, reader);
  if (attributes && attributes.class !== MESSAGE_INJECTOR) {
    refuseClass(element, attributes.class, reader);
    return undefined;
  }
  const injection = readInjection(element, reader);
  if (!attributes || !schedule || !injection) return undefined;
  const { name, group, pinnedServers = '' } = attributes;
  const servers = resolvePlaceholders(pinnedServers, element, reader) ?? '';
  return {
    name,
    position: element.position,
    group,
    pinnedServers: servers.split(/[\s,]+/).filter((server) => server !== ''),
    schedule,
    injection,
  };
}

function refuseClass(element: ConfigElement, name: string, reader: ArtifactReader): void {
  const nearest = nearestName(name, [MESSAGE_INJECTOR]);
  reader.error(element, `Cannot load the task class ${name}: Java classes are not run`, {
    attribute: 'class',
    expected: `${MESSAGE_INJECTOR}, which puts a message into main, a sequence or a proxy`,
    ...(nearest && { nearest }),
  });
}

const QUARTZ: ValueType<ReturnType<typeof parseQuartzSchedule>> = {
  expected: 'a Quartz cron expression',
  doc: 'When it runs.',
  parse(written) {
    try {
      return parseQuartzSchedule(written);
    } catch (error) {
      throw quartzValueError(written, error, 'a Quartz cron expression');
    }
  },
};

const TRIGGER_ATTRIBUTES = {
  count: integer({ doc: 'How often it runs; absent or negative: for ever.' }),
  interval: integer({ minimum: 0, maximum: LONGEST_INTERVAL, doc: 'Seconds between runs.' }),
  once: text({ doc: '`true`: it runs once, at the start.' }),
  cron: QUARTZ,
  description: DESCRIPTION,
} as const;

const ONCE: TaskSchedule = { kind: 'simple', intervalMs: 0, count: 1 };

function readSchedule(task: ConfigElement, reader: ArtifactReader): TaskSchedule | undefined {
  const element = task.child('trigger');
  if (!element) return ONCE;
  const attributes = readAttributes(element, TRIGGER_ATTRIBUTES, reader);
  return attributes && scheduleOf(element, attributes, reader);
}

function scheduleOf(
  element: ConfigElement,
  { count, interval, once, cron }: ValuesOf<typeof TRIGGER_ATTRIBUTES>,
  reader: ArtifactReader,
): TaskSchedule | undefined {
  if (cron !== undefined) {
    if (interval === undefined && once !== 'true') return { kind: 'cron', expression: cron };
    reader.error(element, 'Trigger syntax error : a trigger is either simple or by cron expression', {
      attribute: 'cron',
      expected: 'cron="…" or interval="…", not both',
    });
    return undefined;
  }
  if (once?.trim().toLowerCase() === 'true') return ONCE;
  const everyMs = (interval ?? 0) * 1000;
  if (everyMs === 0 && count !== undefined && count > 1) {
    reader.error(element, 'Trigger seems to be a simple trigger, but no interval specified', {
      expected: 'interval="…" (seconds)',
    });
    return undefined;
  }
  if (everyMs === 0) return ONCE;
  return { kind: 'simple', intervalMs: everyMs, count: count === undefined || count < 0 ? undefined : count };
}

const PROPERTIES = ['injectTo', 'sequenceName', 'proxyName', 'message', 'to', 'soapAction', 'format', 'registryKey'];
const FORMATS: Readonly<Record<string, InjectionFormat>> = {
  soap11: 'soap11',
  soap12: 'soap12',
  pox: 'pox',
  get: 'get',
};

function readInjection(task: ConfigElement, reader: ArtifactReader): MessageInjection | undefined {
  const properties = readProperties(task, reader);
  const text = (name: string) => properties.get(name)?.attribute('value');
  const target = readTarget(task, properties, reader);
  if (!target) return undefined;
  return {
    target,
    // What else is written there (text/xml, a common mistake) counts as SOAP 1.1, as in the reference.
    format: FORMATS[text('format')?.trim().toLowerCase() ?? ''] ?? 'soap11',
    message: messageOf(properties.get('message')),
    to: text('to'),
    soapAction: text('soapAction'),
  };
}

function messageOf(property: ConfigElement | undefined): MessageInjection['message'] {
  const child = property?.children[0];
  if (child) return { xml: child.node };
  const written = property?.attribute('value');
  return written === undefined ? undefined : { text: written };
}

/** The properties of the task by their names; each has a `value` or an XML child. */
function readProperties(task: ConfigElement, reader: ArtifactReader): ReadonlyMap<string, ConfigElement> {
  const properties = new Map<string, ConfigElement>();
  for (const element of task.childrenNamed('property')) {
    const name = element.attribute('name')?.trim();
    if (!name) {
      reader.error(element, 'a property of a task needs a name', { expected: '<property name="…" value="…"/>' });
      continue;
    }
    if (element.attribute('expression') !== undefined) {
      reader.error(element, 'Tasks does not support dynamic properties', {
        attribute: 'expression',
        expected: 'value="…" or an XML child',
      });
      continue;
    }
    if (!PROPERTIES.includes(name)) warnUnknown(element, name, reader);
    properties.set(name, element);
  }
  return properties;
}

function warnUnknown(element: ConfigElement, name: string, reader: ArtifactReader): void {
  const nearest = nearestName(name, PROPERTIES);
  reader.warning(element, `unknown property '${name}' of the message injector is ignored`, {
    attribute: 'name',
    expected: `one of: ${PROPERTIES.join(', ')}`,
    ...(nearest && { nearest }),
  });
}

function readTarget(
  task: ConfigElement,
  properties: ReadonlyMap<string, ConfigElement>,
  reader: ArtifactReader,
): InjectionTarget | undefined {
  const injectTo = properties.get('injectTo');
  const kind = injectTo?.attribute('value')?.trim().toLowerCase() ?? 'main';
  if (kind === 'main') return { kind };
  if (kind !== 'sequence' && kind !== 'proxy') {
    reader.error(injectTo ?? task, `'${kind}' is nothing that messages can be injected to`, {
      attribute: 'value',
      expected: 'one of: main, sequence, proxy',
    });
    return undefined;
  }
  const property = properties.get(`${kind}Name`);
  const name = property?.attribute('value')?.trim();
  if (!property || !name) {
    reader.error(injectTo ?? task, `a task that injects to a ${kind} needs its name`, {
      expected: `<property name="${kind}Name" value="…"/>`,
    });
    return undefined;
  }
  if (kind === 'sequence') reader.refer('sequence', name, property, 'value');
  return { kind, name };
}
