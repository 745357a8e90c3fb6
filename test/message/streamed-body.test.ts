import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type BodyEnd, type BodySink, type BodySource, StreamedBody } from '../../src/message/streamed-body.ts';

class Source implements BodySource {
  paused = false;
  cancelled = 0;
  held = 0;

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  cancel(): void {
    this.cancelled += 1;
  }

  holding(): void {
    this.held += 1;
  }
}

class Sink implements BodySink {
  text = '';
  over: 'ended' | Error | undefined;
  room: number;

  constructor(room = Number.POSITIVE_INFINITY) {
    this.room = room;
  }

  accept(chunk: Uint8Array): boolean {
    this.text += Buffer.from(chunk).toString();
    this.room -= 1;
    return this.room > 0;
  }

  end(): void {
    this.over = 'ended';
  }

  fail(error: Error): void {
    this.over = error;
  }
}

function streamed(head = 'head', length?: number) {
  const source = new Source();
  const body = new StreamedBody(Buffer.from(head), length, source);
  const ends: BodyEnd[] = [];
  body.onEnd((end) => ends.push(end));
  return { body, source, ends };
}

describe('a streamed body', () => {
  it('gives its head and what comes to the sink, and tells the end once', () => {
    const { body, ends } = streamed();
    const sink = new Sink();
    body.pipe(sink);
    body.push(Buffer.from('-more'));
    body.end();
    expect(sink).toMatchObject({ text: 'head-more', over: 'ended' });
    expect(ends).toEqual(['complete']);
    expect(body.taken).toBe(true);
    const late = vi.fn();
    body.onEnd(late);
    expect(late).toHaveBeenCalledWith('complete');
  });

  it('has its source wait while nobody takes it, and while the sink has enough', () => {
    const { body, source } = streamed();
    body.push(Buffer.from('1'));
    expect(source.paused).toBe(true);
    const sink = new Sink(3);
    body.pipe(sink);
    expect([sink.text, source.paused]).toEqual(['head1', false]);
    body.push(Buffer.from('2'));
    expect(source.paused).toBe(true);
    body.push(Buffer.from('3'));
    expect(sink.text).toBe('head12');
    sink.room = 2;
    body.resume();
    expect([sink.text, source.paused]).toEqual(['head123', false]);
  });

  it('ends for a sink that has enough, once nothing is left', () => {
    const { body } = streamed();
    const sink = new Sink(1);
    body.pipe(sink);
    body.push(Buffer.from('!'));
    body.end();
    expect(sink.over).toBeUndefined();
    sink.room = 1;
    body.resume();
    expect(sink).toMatchObject({ text: 'head!', over: 'ended' });
  });

  it('tells its sink, and whoever takes it later, what broke it off', async () => {
    const { body, ends } = streamed();
    const sink = new Sink();
    body.pipe(sink);
    const reset = new Error('reset');
    body.fail(reset);
    body.push(Buffer.from('late'));
    body.end();
    body.cancel();
    expect(sink).toMatchObject({ text: 'head', over: reset });
    expect(ends).toEqual([reset]);
    expect(body.error).toBe(reset);
    const second = new Sink();
    body.pipe(second);
    expect(second.over).toBe(reset);
    await expect(body.whole()).rejects.toBe(reset);
  });

  it('tells its source that nobody wants the rest, once', async () => {
    const { body, source, ends } = streamed();
    const sink = new Sink();
    body.pipe(sink);
    body.cancel();
    body.cancel();
    body.push(Buffer.from('x'));
    body.end();
    expect(sink).toMatchObject({ text: 'head', over: undefined });
    expect([source.cancelled, ends]).toEqual([1, ['cancelled']]);
    await expect(body.whole()).rejects.toThrow('passed on already');
  });

  it('has one sink only', () => {
    const { body } = streamed();
    body.pipe(new Sink());
    expect(() => body.pipe(new Sink())).toThrow('passed on already');
  });

  it('can be had as a whole, which its source hears of', async () => {
    const { body, source } = streamed();
    const whole = body.whole();
    body.push(Buffer.from('-all'));
    body.end();
    expect(Buffer.from(await whole).toString()).toBe('head-all');
    expect(source.held).toBe(1);
    const other = streamed();
    const givenUp = other.body.whole();
    other.body.cancel();
    await expect(givenUp).rejects.toThrow('given up');
  });

  it('is given again from the beginning as long as it is remembered', () => {
    const { body, source } = streamed();
    body.remember();
    const first = new Sink(2);
    body.pipe(first);
    body.push(Buffer.from('1'));
    body.push(Buffer.from('2'));
    expect(body.rewind()).toBe(true);
    expect([body.taken, source.paused]).toEqual([false, true]);
    const second = new Sink();
    body.pipe(second);
    body.end();
    expect([first.text, second.text, second.over, first.over]).toEqual(['head1', 'head12', 'ended', undefined]);
    expect(body.rewind()).toBe(true);
    body.pipe(new Sink());
    body.forget();
    expect(body.rewind()).toBe(false);
  });

  it('is not given again when nobody asked for it, or when it was too much', () => {
    const plain = streamed();
    plain.body.pipe(new Sink());
    expect(plain.body.rewind()).toBe(false);
    const { body } = streamed();
    body.remember();
    body.pipe(new Sink());
    body.push(Buffer.alloc(300 * 1024));
    expect(body.rewindable).toBe(false);
    expect(body.rewind()).toBe(false);
  });

  it('comes as it was pushed, whatever the sink’s pace, and nothing is queued while the source heeds its pauses', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('push' as const),
        text: fc.string({ minLength: 1, maxLength: 5, unit: 'grapheme-ascii' }),
      }),
      fc.record({ kind: fc.constant('resume' as const), room: fc.integer({ min: 1, max: 3 }) }),
    );
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 3 }), (steps, room) => {
        const { body, source } = streamed('h');
        const sink = new Sink(room);
        body.pipe(sink);
        let pushed = 'h';
        for (const one of steps) {
          if (one.kind === 'resume') {
            sink.room = one.room;
            body.resume();
          } else if (!source.paused) {
            body.push(Buffer.from(one.text));
            pushed += one.text;
          }
        }
        expect(sink.text).toBe(pushed);
        body.end();
        expect(sink.over).toBe('ended');
      }),
    );
  });
});
