import { createRequire } from 'node:module';

const DRIVER = 'amqplib';

/** The driver is an optional dependency, and it is not installed. */
export class DriverMissingError extends Error {
  override readonly name = 'DriverMissingError';
}

/**
 * Finds the driver without loading it.
 * @throws DriverMissingError with what to do
 */
export function requireDriver(resolve: (name: string) => string = createRequire(import.meta.url).resolve): void {
  try {
    resolve(DRIVER);
  } catch (cause) {
    throw new DriverMissingError(`the package ${DRIVER} is not installed; install it with: npm install ${DRIVER}`, {
      cause,
    });
  }
}

/** Loads the driver: not before a store really connects (OP-103). */
export function loadDriver(): Promise<typeof import('amqplib')> {
  return import('amqplib');
}
