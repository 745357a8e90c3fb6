export {
  closeLogging,
  configureLogging,
  type Logger,
  type LogLevel,
  type LogRecord,
  logger,
  onLogRecord,
  textLine,
} from './logger.ts';
