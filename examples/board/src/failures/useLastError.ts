import { useState } from 'react';

/** The error of the last attempt: it stays while the next attempt is made. */
export function useLastError<E>(error: E, isLoading: boolean): E {
  const [last, setLast] = useState(error);
  if (!isLoading && last !== error) setLast(error);
  return last;
}
