export { type PlacedKind, placeArtifact } from './artifact-places.ts';
export {
  artifactLogLevels,
  closeLogging,
  configureLogging,
  detailedLine,
  flushLogging,
  type Logger,
  type LogLevel,
  type LogRecord,
  logCategories,
  logger,
  logLevel,
  onLogRecord,
  setArtifactLogLevel,
  setLogLevel,
  startWinston,
  textLine,
} from './logger.ts';
