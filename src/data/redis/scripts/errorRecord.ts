import { z } from 'zod';
import { ApiError, ERROR_CODES, type ErrorCode } from '../../../domain/errors.ts';
import { parseJson } from '../../../domain/json.ts';

const schema = z.object({
  code: z.enum(Object.keys(ERROR_CODES) as ErrorCode[]),
  message: z.string(),
  retryAfterSeconds: z.number().optional(),
  upstream: z
    .object({ status: z.number(), code: z.number().nullable(), requestId: z.string().nullable() })
    .optional(),
});

/** Encodes the public fields of an error for the other replicas. */
export function encodeError({ code, message, retryAfterSeconds, upstream }: ApiError): string {
  const record: z.infer<typeof schema> = { code, message, retryAfterSeconds, upstream };
  return JSON.stringify(record);
}

/** Decodes an error; undefined for a text that `encodeError` cannot have written. */
export function decodeError(text: string): ApiError | undefined {
  const record = schema.safeParse(parseJson(text));
  return record.success ? new ApiError(record.data.code, record.data) : undefined;
}
