// Stands for your copy of the file.
export type * from '../../../schema/extensions.ts';
