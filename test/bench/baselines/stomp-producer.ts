import { soapOrders } from '../messages.ts';
import { option } from './program.ts';
import { takeRounds } from './put-lanes.ts';
import { bareStomp } from './stomp-client.ts';

/*
 * A bare pipelined producer: one STOMP connection, each message persistent and with a receipt, all lanes at once. No HTTP.
 *
 *   node stomp-producer.ts --port PORT --queue NAME --bytes 600
 */

const stomp = await bareStomp(Number(option('port')));
const queue = option('queue');
takeRounds((body) => stomp.send(queue, body), Buffer.from(soapOrders(Number(option('bytes')))));
