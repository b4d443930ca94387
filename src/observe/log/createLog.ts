import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { toTraceFields } from './traceFields.ts';

/** See `createLog`. */
export interface LogOptions {
  readonly level: LoggerOptions['level'];
  /** Texts that no line may have. */
  readonly secrets: readonly string[];
}

/** Whatever is shorter would be found in words. */
const MIN_SECRET = 6;

/**
 * The program's logger: JSON lines on standard output, or to `destination`. Whoever writes a line keeps secrets out of it;
 * should one get there all the same, because a client sends it as something else, say, it is taken out at the last.
 */
export function createLog({ level, secrets }: LogOptions, destination?: DestinationStream): Logger {
  const hidden = secrets
    .filter(({ length }) => length >= MIN_SECRET)
    // As it stands in JSON. The longest first: one may be part of another.
    .map((secret) => JSON.stringify(secret).slice(1, -1))
    .sort((a, b) => b.length - a.length);
  const options: LoggerOptions = {
    level: level ?? 'info',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin: toTraceFields,
    hooks: {
      streamWrite: (line) => hidden.reduce((text, secret) => text.replaceAll(secret, '[secret]'), line),
    },
  };
  return destination ? pino(options, destination) : pino(options);
}
