import { afterEach, expect, it } from 'vitest';
import {
  closeLogging,
  configureLogging,
  logCategories,
  logger,
  logLevel,
  onLogRecord,
  setLogLevel,
} from '../../src/logging/index.ts';

afterEach(() => {
  setLogLevel('Chatty', undefined);
  closeLogging();
});

it('a category has a level of its own at run time, and gives it back', () => {
  configureLogging({ level: 'info', stream: process.stderr });
  closeLogging();
  const heard: string[] = [];
  const stop = onLogRecord(({ message }) => heard.push(message));
  const [chatty, other] = [logger('Chatty'), logger('Other')];
  chatty.debug('one');
  setLogLevel('Chatty', 'debug');
  chatty.debug('two');
  other.debug('three');
  expect([chatty.enabled('debug'), other.enabled('debug')]).toEqual([true, false]);
  expect([logLevel('Chatty'), logLevel('Other'), logLevel()]).toEqual(['debug', 'info', 'info']);
  setLogLevel('Chatty', 'error');
  chatty.info('four');
  setLogLevel('Chatty', undefined);
  chatty.info('five');
  stop();
  expect(heard).toEqual(['two', 'five']);
  expect(logCategories()).toContain('Chatty');
});
