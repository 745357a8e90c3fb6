/** A server as a child process that is started, killed, paused and restarted; the demo on ActiveMQ needs the same. */
export * from '../../../samples/activemq/server-process.ts';
