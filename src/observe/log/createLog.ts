import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { toTraceFields } from './traceFields.ts';

/** See `createLog`. */
interface LogOptions {
  readonly level: LoggerOptions['level'];
  /** Texts that are redacted. */
  readonly secrets: readonly string[];
}

/** Shorter secrets are not redacted: they would match ordinary words. */
const MIN_SECRET = 6;

/**
 * Creates the program's logger: JSON lines on standard output, or to `destination`. No line should contain a secret;
 * one that does, because a client sent it in the wrong place for example, is redacted before it is written.
 */
export function createLog({ level, secrets }: LogOptions, destination?: DestinationStream): Logger {
  const hidden = secrets
    .filter(({ length }) => length >= MIN_SECRET)
    // As written in JSON. The longest first: one may be part of another.
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
