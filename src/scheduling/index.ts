export { CronTrigger, type CronTriggerOptions, cronTrigger, type OnTick } from './cron-trigger.ts';
export { pause } from './pause.ts';
export {
  explainQuartzError,
  type QuartzFieldName,
  type QuartzFix,
  QuartzNeverFiresError,
  QuartzSyntaxError,
  UnknownTimeZoneError,
} from './quartz-errors.ts';
export {
  type ClockChangeRule,
  parseQuartzExpression,
  parseQuartzSchedule,
  type QuartzExpression,
  type QuartzOptions,
} from './quartz-expression.ts';
export { type SimpleSchedule, SimpleTrigger } from './simple-trigger.ts';
export { LONGEST_INTERVAL, Spacing } from './spacing.ts';
export { type ClockChange, type Reading, TimeZone } from './time-zone.ts';
export { type WallClock, wallClock } from './wall-clock.ts';
