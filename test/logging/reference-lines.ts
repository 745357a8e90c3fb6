/** A log line of the reference that is written here, too, byte for byte; `<…>` stands for what differs (spec stores 11, spec proxies 9). */
export interface WrittenLine {
  readonly level: 'FATAL' | 'ERROR' | 'WARN' | 'INFO';
  /** The short class name that the line begins with. */
  readonly logger: string;
  readonly line: string;
  /** The source file that has its text. */
  readonly from: string;
  /** What stands there of it, where a part of it is put before it. */
  readonly text: string;
}

/** One that is not. */
export interface UnwrittenLine {
  readonly logger: string;
  readonly line: string;
  readonly because: string;
}

const SCHEDULED = 'src/processors/scheduled-processor.ts';
const FORWARDING = 'src/processors/forwarding-method.ts';
const FAILOVER = 'src/processors/failover-method.ts';
const SEQUENCES = 'src/processors/processor-sequences.ts';
const JMS = 'src/stores/jms.ts';
const STOMP = 'src/stores/stomp/consumer.ts';
const RABBIT = 'src/stores/rabbitmq.ts';
const SUSPENSION = 'src/endpoints/suspension.ts';
const LEAF = 'src/endpoints/leaf-endpoint.ts';
const SEND = 'src/transport/send-failure.ts';
const SERVER = 'src/server.ts';
const DEPLOYMENT = 'src/deployment/deployment-log.ts';

type Row = readonly [level: WrittenLine['level'], logger: string, line: string, from: string, text?: string];

const ROWS: readonly Row[] = [
  ['INFO', 'ScheduledMessageProcessor', 'Started message processor. [<n>].', SCHEDULED],
  ['INFO', 'ScheduledMessageProcessor', 'Successfully deactivated the message processor [<n>]', SCHEDULED],
  ['INFO', 'ScheduledMessageProcessor', 'Successfully re-activated the message processor [<n>]', SCHEDULED],
  ['INFO', 'AbstractQuartzTaskManager', 'Task scheduled: [ESB_TASK][<task>].', SCHEDULED],
  ['INFO', 'AbstractQuartzTaskManager', 'Task paused: [ESB_TASK][<task>]', SCHEDULED],
  ['INFO', 'AbstractQuartzTaskManager', 'Task resumed: [ESB_TASK][<task>]', SCHEDULED],
  ['INFO', 'AbstractQuartzTaskManager', 'Task deleted: [ESB_TASK][<task>]', SCHEDULED],
  ['ERROR', 'TaskQuartzJobAdapter', 'Error in executing task: <reason>', 'src/tasks/task.ts'],
  [
    'INFO',
    'ForwardingService',
    'Message processor [<n>] received a response with HTTP_SC: <code> from backend <endpoint>. Message forwarding failed.',
    FORWARDING,
  ],
  [
    'ERROR',
    'ForwardingService',
    'BlockingMessageSender of message processor [<n>] failed to forward message to endpoint <endpoint>',
    FORWARDING,
  ],
  ['ERROR', 'ForwardingService', 'Blocking Sender Error <reason>', FORWARDING],
  ['ERROR', 'ForwardingService', '[ <n> ] Error while forwarding message to endpoint <endpoint>.', FORWARDING],
  [
    'WARN',
    'ForwardingService',
    'Message processor [<n>] failed to forward message <k> times. Drop message and continue.',
    FORWARDING,
    '. Drop message and continue.',
  ],
  [
    'INFO',
    'ForwardingService',
    'Message processor [<n>] failed to forward message <k> times. Moved failed message to fail-messages-store and continue',
    FORWARDING,
    '. Moved failed message to fail-messages-store and continue',
  ],
  [
    'ERROR',
    'ForwardingService',
    'Message processor [<n>] failed to forward message <k> times but failed to store message in fail-messages-store and continue. Hence deactivating message processor.',
    FORWARDING,
    ' but failed to store message in fail-messages-store and continue. Hence deactivating message processor.',
  ],
  ['ERROR', 'ForwardingService', 'Endpoint does not exists. Deactivating the message processor', FORWARDING],
  [
    'ERROR',
    'ForwardingService',
    'Neither targetEndpoint defined in the MessageProcessor configuration nor Property target.endpoint is found in the message context, hence deactivating the MessageProcessor',
    FORWARDING,
  ],
  ['FATAL', 'ForwardingService', 'Deactivating the message processor [<n>]', SCHEDULED],
  [
    'WARN',
    'ForwardingService',
    'Failed to send the message through the <fault or deactivate> sequence. Sequence name does not Exist.',
    SEQUENCES,
    ' Sequence name does not Exist.',
  ],
  [
    'WARN',
    'ForwardingService',
    'Failed to send the message through the <fault or deactivate> sequence. Sequence [<sequence>] does not Exist.',
    SEQUENCES,
    ' Sequence [<sequence>] does not Exist.',
  ],
  [
    'ERROR',
    'FailoverForwardingService',
    'Message store messageSender of message processor [<n>] failed to send message to the target message store',
    FAILOVER,
  ],
  ['INFO', 'FailoverForwardingService', 'Removed failed message and continue the message processor [<n>]', FAILOVER],
  ['ERROR', 'SamplingService', 'Error occurred while executing the message', 'src/processors/sampling-method.ts'],
  [
    'ERROR',
    'MessageStoreMediator',
    'Failed to store message [<id>] in <store or failover store>.',
    'src/mediators/store.ts',
  ],
  ['ERROR', 'MessageStoreMediator', 'Message Store does not exist.', 'src/mediators/store.ts'],
  [
    'INFO',
    'MessageStoreFactory',
    'Successfully added Message Store configuration of : [<s>].',
    'src/deployment/runtimes.ts',
  ],
  ['INFO', 'InMemoryStore', 'Initialized Store [<s>]...', 'src/stores/in-memory.ts'],
  ['INFO', 'JmsStore', 'Store [<s>]. Initialized... ', JMS],
  ['ERROR', 'JmsProducer', '<producer>. Ignored MessageID : <id>', JMS],
  ['ERROR', 'JmsProducer', 'Could not create a Message Producer for Store [<s>]', JMS],
  ['ERROR', 'JmsConsumer', 'Cannot fetch messages from Store <s>', STOMP],
  ['INFO', 'JmsConsumer', 'Trying to reconnect to JMS store <s>', STOMP],
  ['INFO', 'JmsConsumer', 'Successfully connected to JMS store <s>', STOMP],
  ['INFO', 'RabbitMQStore', 'Store [<s>] Successfully connected to RabbitMQ Broker', RABBIT],
  ['INFO', 'RabbitMQStore', 'Store [<s>]. Initialized... ', RABBIT],
  ['WARN', 'RabbitMQStore', 'Store [<s>] - Producer channel initialization failed. Will retry connecting ', RABBIT],
  [
    'ERROR',
    'RabbitMQStore',
    'Store [<s>] Error creating connection to RabbitMQ Broker. Reattempting to connect.',
    RABBIT,
  ],
  ['ERROR', 'RabbitMQStore', 'Store [<s>] Error while trying to reconnect to RabbitMQ Broker', RABBIT],
  ['WARN', 'EndpointContext', '<endpoint> will be marked SUSPENDED as it failed', SUSPENSION],
  [
    'WARN',
    'EndpointContext',
    'Suspending <endpoint> - <last>current suspend duration is : <ms>ms - Next retry after : <date>',
    SUSPENSION,
  ],
  [
    'WARN',
    'EndpointContext',
    '<endpoint> is marked as TIMEOUT and will be retried : <k> more time/s after : ',
    SUSPENSION,
  ],
  [
    'INFO',
    'EndpointContext',
    '<endpoint> currently <state> will now be marked active since it processed its last message',
    SUSPENSION,
  ],
  ['WARN', 'TimeoutHandler', 'Expiring message ID : <id>; dropping message after ', LEAF],
  ['WARN', 'TargetHandler', 'Connection refused or failed for : <host>', SEND],
  ['WARN', 'TargetHandler', 'Timeout connecting to : <host>', SEND],
  [
    'INFO',
    'TimeoutHandler',
    'This engine will expire all callbacks after GLOBAL_TIMEOUT: <s> seconds, irrespective of the timeout action, after the specified or optional timeout',
    SERVER,
  ],
  ['INFO', 'ProxyServiceDeployer', 'Deployed Proxy service : <n>', DEPLOYMENT],
  ['INFO', 'CappDeployer', 'Successfully Deployed Carbon Application : <app>{super tenant}', DEPLOYMENT],
  ['INFO', 'PassThroughHttpListener', 'Pass-through HTTP Listener started on <host>:<port>', SERVER],
  ['INFO', 'PassThroughHttpListener', 'Pass-through HTTPS Listener started on <host>:<port>', SERVER],
  ['INFO', 'StartupFinalizer', 'WSO2 Micro Integrator started in <s> seconds', SERVER],
  ['INFO', 'ServerManagement', 'Gracefully shutting down WSO2 Micro Integrator...', SERVER],
  ['INFO', 'ServerManagement', 'Stopped all transport listeners', SERVER],
  ['INFO', 'ServerManagement', 'Waiting for request service completion...', SERVER],
  ['INFO', 'ServerManagement', 'All requests have been served.', SERVER],
  ['WARN', 'ServerManagement', 'Timeout occurred even though there are active connections.', SERVER],
  ['INFO', 'ServerManagement', 'Micro Integrator Shutdown complete', SERVER],
  [
    'INFO',
    'AUDIT_LOG',
    '{"performedBy":<who>,"action":<action>,"type":<type>,"info":<info>}',
    'src/management/audit/audit-log.ts',
    'performedBy: ',
  ],
  [
    'WARN',
    'ManagementApi',
    'No Internal API found to dispatch the message to : <path>',
    'src/management/request-handler.ts',
  ],
];

/** In the order of the reference's life: processors, stores, endpoints, the server. */
export const WRITTEN: readonly WrittenLine[] = ROWS.map(([level, logger, line, from, text = line]) => ({
  level,
  logger,
  line,
  from,
  text,
}));

const NO_BACKUP = 'a faulty file stays where it is, and its last good version serves on';

export const UNWRITTEN: readonly UnwrittenLine[] = [
  {
    logger: 'ScheduledMessageProcessor',
    line: '[<n>] Could not find the message consumer to cleanup.',
    because: 'a processor closes the consumers that it has opened; there is none that could be missing',
  },
  {
    logger: 'AbstractQuartzTaskManager',
    line: 'Task temporarily paused: …',
    because:
      'a node that loses a task says so as CoordinatedTaskScheduler: `This node [<node>] has lost the task [<task>] and stops it`',
  },
  {
    logger: 'NTaskTaskManager',
    line: 'Initialized task manager. Tenant [-1234]',
    because: 'there are no tenants and no task manager',
  },
  {
    logger: 'NTaskTaskManager',
    line: 'Scheduling task [[NTask::-1234::<task>]::synapse.message.processor.quartz] FAILED. Error: …',
    because: 'schedules are checked when an artifact is deployed, and refused with the place of the mistake (OP-85)',
  },
  {
    logger: 'NTaskTaskManager',
    line: 'Cannot resume task [<task>]. Error: Non-existing task for resuming with name: <task>',
    because: 'a processor and its tasks cannot come apart',
  },
  {
    logger: 'ForwardingService',
    line: 'Message processor [<n>] failed to send the message to client',
    because:
      'an attempt that breaks off leaves `[ <n> ] Error while forwarding message to endpoint <endpoint>.` with the cause',
  },
  {
    logger: 'ForwardingService',
    line: 'Deactivating the message processor [<n>] due to initialization issue',
    because: 'a processor that cannot work is FAULTY and says why, or waits for its store (OP-20, OP-33)',
  },
  {
    logger: 'FailoverForwardingService',
    line: 'Message processor [<n>] failed to send the message to target store',
    because: '`Message store messageSender of message processor …` is written for every failure, with the cause',
  },
  {
    logger: 'FailoverForwardingService',
    line: 'Resuming the service of message processor [<n>]',
    because:
      "a success does not undo what an operator has deactivated (OP-21); `The target store '<s>' takes messages again` tells of the recovery",
  },
  {
    logger: 'JmsStore',
    line: 'Store [<s>]. JMS Destination [<d>] does not exist. / Store [<s>]. Initialization failed...',
    because:
      'queues come to be with their first message, and a store whose broker is away waits for it and says so (OP-14)',
  },
  {
    logger: 'JmsConsumer',
    line: 'JMS Consumer <id> did not receive a javax.jms.ObjectMessage',
    because: 'messages are no Java objects; what cannot be read is set aside with the reason (OP-18)',
  },
  {
    logger: 'JmsConsumer',
    line: 'JMS Session is in an illegal state. Recovering session.',
    because: 'STOMP has no sessions; a lost connection is told as one',
  },
  {
    logger: 'RabbitMQStore',
    line: 'Store [<s>] Attempting to create connection to RabbitMQ Broker in <ms> ms',
    because:
      'reconnection never ends (OP-12), and one line per try would bury the others; `get stores` shows the next one',
  },
  {
    logger: 'RabbitMQStore',
    line: 'Store [<s>] - Producer connection not available at startup. Will retry connecting during message publishing.',
    because:
      'it is not left to the next message: `Error creating connection … Reattempting to connect.` is written, and it reconnects by itself',
  },
  {
    logger: 'QuartzCachedThreadPool',
    line: 'Graceful scheduler shutdown initiated. Waiting for tasks to finish... / Scheduler terminated cleanly. / Scheduler did not terminate in time. Forcing shutdown.',
    because: 'there is no scheduler for all; each processor and task says how it ended',
  },
  {
    logger: 'CoordinatedTaskScheduler',
    line: 'The task [<task>] retrieved to be scheduled is not a deployed task in this node or an invalid entry, hence ignoring it.',
    because: 'a node asks for the tasks that it has, and never hears of others',
  },
  {
    logger: 'SynapseConfigurationBuilder, Axis2SynapseController, ServerManager and the listeners',
    line: 'Initializing Synapse at : <date> / Building synapse configuration … / Loaded Synapse configuration … / Loading mediator extensions... / Deploying the Synapse service... / Deploying Proxy services... / Deploying EventSources... / Server ready for processing... / Initializing Pass-through … / Pass-through HTTP Sender started... / Starting Pass-through HTTP Listener...',
    because: 'the reference does not show them by default (spec proxies 9.1), and the start takes half a second',
  },
  {
    logger: 'ServerManagement',
    line: 'Starting graceful shutdown timer... / Starting to switch to maintenance mode... / Waiting for server task completion... / All server tasks have been completed. / Waiting for deployment completion... / Halting JVM',
    because: 'there are no such phases and no JVM; processors and tasks end after the requests, and each says so',
  },
  {
    logger: 'deployers',
    line: 'The file has been backed up into : <backup> / Restoring the existing artifact into the file : <f> / <Kind> named <n> has been restored / Unable to undeploy the artifact from file : <f>',
    because: NO_BACKUP,
  },
];
