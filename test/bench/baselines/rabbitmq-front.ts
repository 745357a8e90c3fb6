import { connect } from 'amqplib';
import { option } from './program.ts';
import { storeWhatComes } from './storing-front.ts';

/*
 * HTTP to RabbitMQ with the bare driver: persistent messages on one channel with confirms, as many unconfirmed as clients wait.
 *
 *   node rabbitmq-front.ts --port PORT --queue NAME
 */

const connection = await connect(`amqp://guest:guest@127.0.0.1:${option('port')}`, { noDelay: true });
const channel = await connection.createConfirmChannel();
const queue = option('queue');
await channel.assertQueue(queue, { durable: true });
storeWhatComes(
  (body) =>
    new Promise((resolve, reject) => {
      channel.sendToQueue(queue, body, { persistent: true }, (error: unknown) => (error ? reject(error) : resolve()));
    }),
);
