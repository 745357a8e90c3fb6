import { logLine } from '../log.ts';
import { type BuiltInClass, integerProperty } from './built-in-class.ts';

/** The numbers that the setters of the Java class take. */
const LEVELS = ['custom', 'simple', 'headers', 'full'] as const;
const SIMPLE = 1;

/** `<log>` by its class name: without properties it writes what `<log/>` does. */
export const logMediator: BuiltInClass = {
  className: 'org.apache.synapse.mediators.builtin.LogMediator',
  properties: ['logLevel', 'separator'],
  open: () => (message, properties) => {
    const number = integerProperty(properties, 'logLevel', SIMPLE);
    const level = LEVELS[number];
    if (!level) throw new Error(`property 'logLevel' is ${number}, expected 0 (custom) to 3 (full)`);
    logLine(message, level, properties.get('separator') || ', ');
    return true;
  },
};
