import { describe, expect, it } from 'vitest';
import {
  certificateOption,
  isOn,
  modeOption,
  numberOption,
  readCommand,
  repeatOption,
  usage,
} from '../../../samples/stockquote/client/command-line.ts';
import { UsageError } from '../../../samples/stockquote/wire/arguments.ts';

describe('the command line of the client', () => {
  it.each([
    ['--addurl', 'http://a/', '--mode', 'placeorder', '--rest'],
    ['--addurl=http://a/', '--mode=placeorder', '--rest=true'],
    ['-addurl', 'http://a/', '-mode', 'placeorder', '-rest', 'true'],
    ['stockquote', '-Daddurl=http://a/', '-Dmode=placeorder', '-Drest=true'],
    ['-Daddurl=http://a/', 'stockquote', '--mode', 'placeorder', '--rest'],
  ])('can be spelled %s %s %s', (...words) => {
    const { target, options, warnings } = readCommand(words);
    expect(target).toBe('stockquote');
    expect(Object.fromEntries(options)).toEqual({ addurl: 'http://a/', mode: 'placeorder', rest: 'true' });
    expect(warnings).toEqual([]);
  });

  it('takes empty and null for not given, and the repository for nothing', () => {
    const { options } = readCommand(['-Dsymbol=', '-Dtrpurl=null', '-Drepository=client_repo', '-Dpolicy=null']);
    expect(options.size).toBe(0);
  });

  it('keeps what follows a switch', () => {
    const { options } = readCommand(['--rest', '--symbol', 'A=B', '--insecure', 'false']);
    expect(Object.fromEntries(options)).toEqual({ rest: 'true', symbol: 'A=B', insecure: 'false' });
    expect(isOn(options, 'rest')).toBe(true);
    expect(isOn(options, 'insecure')).toBe(false);
  });

  it.each([
    [['--symbl', 'X'], /Unknown option --symbl; did you mean symbol\?/],
    [['stockqoute'], /Unknown target stockqoute; did you mean stockquote\?/],
    [['stockquote', 'more'], /Unknown argument more/],
    [['--symbol'], /--symbol needs a value/],
    [['--symbol', '--rest'], /--symbol needs a value/],
    [['-Dpolicy=policy.xml'], /WS-Security is not supported/],
    [['-Dwsrm=true'], /WS-ReliableMessaging is not supported/],
  ])('is refused when it says %j', (words, message) => {
    expect(() => readCommand(words)).toThrow(UsageError);
    expect(() => readCommand(words)).toThrow(message);
  });

  it('only warns of what ant would ignore', () => {
    expect(readCommand(['-Dsymbl=X']).warnings).toEqual(['Unknown option -Dsymbl; did you mean symbol?']);
  });

  it('reads modes, numbers and repetitions', () => {
    const given = (name: string, text: string) => new Map([[name, text]]);
    expect(modeOption(given('mode', 'fullquote'))).toBe('fullquote');
    expect(modeOption(new Map())).toBeUndefined();
    expect(() => modeOption(given('mode', 'fulquote'))).toThrow(/did you mean fullquote/);
    expect(numberOption(given('itr', '4'), 'itr', 1)).toBe(4);
    for (const text of ['0', 'x', '1.5', '-1'])
      expect(() => numberOption(given('itr', text), 'itr', 1)).toThrow(UsageError);
    expect(repeatOption(given('i', '5'), 1)).toBe(5);
    expect(repeatOption(given('i', '-1'), 1)).toBe(-1);
    expect(repeatOption(given('i', 'often'), 1)).toBe(1);
    expect(() => certificateOption(given('cacert', '/no/such/file.pem'))).toThrow(UsageError);
  });

  it('explains every option', () => {
    for (const name of ['--addurl', '--trpurl', '--prxurl', '--mode', '--symbol', '--timeout'])
      expect(usage()).toContain(name);
  });
});
