/** Ports for servers that a test stops and starts again; the demo on ActiveMQ needs the same. */
export { freePort, freePorts } from '../../samples/activemq/free-ports.ts';
