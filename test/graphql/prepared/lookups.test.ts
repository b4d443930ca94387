// The same operations once more, of documents that are known and prepared for: answers, errors and costs are the same.
process.env.TEST_PREPARED = 'true';
await import('../lookups.test.ts');

export {};
