import { type FindPackage, requirePackage } from '../../optional-package.ts';

/**
 * Finds the driver without loading it.
 * @throws PackageMissingError with what to do
 */
export function requireDriver(find?: FindPackage): void {
  requirePackage('amqplib', 'RabbitMQ', find);
}

/** Loads the driver: not before a store really connects (OP-103). */
export function loadDriver(): Promise<typeof import('amqplib')> {
  return import('amqplib');
}
